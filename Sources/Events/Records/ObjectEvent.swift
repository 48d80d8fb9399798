public import SluiceCore

/// What happened to one object of an S3 bucket. It has no body: the object is the bucket's to give.
public struct ObjectEvent: Sendable {
    private let envelope: ObjectEnvelope
    /// The bucket's name.
    public let bucket: String
    /// The object's key as the app that wrote it knows it: `+` and `%XX` decoded.
    public let key: String

    init(_ envelope: ObjectEnvelope) throws {
        guard let bucket = envelope.bucket else { throw missing("s3.bucket.name") }
        guard let key = envelope.key else { throw missing("s3.object.key") }
        (self.envelope, self.bucket, self.key) = (envelope, bucket, key)
    }

    /// Bucket and key: `bucket/key`.
    public var id: String { envelope.id }
    /// What else S3 says of it, by S3's names: `awsRegion`, `principalId`, `sourceIPAddress`, `x-amz-request-id`…
    public var attributes: [String: String] { envelope.attributes }
    /// The record's own JSON.
    public var raw: LambdaEvent { envelope.raw }

    /// The key as it stands in the event, encoded as a form's value.
    public var rawKey: String { envelope.rawKey ?? "" }
    /// What happened, as `ObjectCreated:Put`.
    public var eventName: String? { envelope.eventName }
    /// When it happened.
    public var time: WallClock.Instant? { envelope.time }
    /// The object's size in bytes; nil where it is gone.
    public var size: Int? { envelope.size }
    /// The object's entity tag, without quotes.
    public var eTag: String? { envelope.eTag }
    /// The object's version, in a bucket that keeps versions.
    public var versionID: String? { envelope.versionID }
    /// Orders the events of one key: hexadecimal, the shorter of two filled up with zeros on its right.
    public var sequencer: String? { envelope.sequencer }
    /// The bucket's ARN.
    public var bucketARN: String? { envelope.bucketARN }
}
