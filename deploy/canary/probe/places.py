"""What is deployed: the function with other settings, behind other front ends."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Place:
    name: str
    streams: bool = False
    # The function's time-out in seconds.
    timeout: int = 10
    environment: dict = dataclasses.field(default_factory=dict)
    # The runtime of wire/bootstrap in the place of the function.
    is_wire: bool = False
    # An HTTP API in front of it, in the place of a Function URL.
    is_gateway: bool = False
    # The Function URL's mode is not the function's.
    is_mismatched: bool = False
    # Only the local Lambda counts errors where there are none.
    only_here: dict = dataclasses.field(default_factory=dict)

    @property
    def variables(self):
        mode = "response_stream" if self.streams else "buffered"
        return {"AWS_LWA_INVOKE_MODE": mode, "AWS_LAMBDA_LOG_FORMAT": "JSON", **self.environment}

    @property
    def url_streams(self):
        return self.streams != self.is_mismatched


PLACES = {
    place.name: place
    for place in (
        Place("buffered"),
        Place("stream", streams=True),
        # The other forms of an empty stream, and of its connection.
        Place("length", streams=True, environment={"SLUICE_EMPTY_STREAM": "content-length"}),
        Place("newline", streams=True, environment={"SLUICE_EMPTY_STREAM": "newline"}),
        Place("close", streams=True, environment={"SLUICE_STREAM_CONNECTION": "close"}),
        # What runs into its deadline.
        Place("limit", timeout=3),
        Place("limit-stream", streams=True, timeout=3),
        # Alone, as the metric Errors counts a function's errors of all kinds.
        Place("trailers", streams=True),
        Place("cut", streams=True, is_wire=True),
        Place("wire", streams=True, is_wire=True),
        Place("mismatch", streams=True, is_mismatched=True),
        Place("gateway", is_gateway=True),
        Place("watch", streams=True, only_here={"SLUICE_LOCAL_PLATFORM_ERROR": "1/2"}),
    )
}
