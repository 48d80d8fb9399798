"""A distribution in front of a Function URL, and its end, which takes longer than all the rest."""
import json
import time
import urllib.parse

from .aws import AwsError

# CloudFront's own policies: CachingDisabled, and AllViewerExceptHostHeader.
CACHE_POLICY = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
REQUEST_POLICY = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
PATIENCE = 1800


def configuration(prefix, host):
    return {
        "CallerReference": prefix, "Comment": prefix, "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [{
            "Id": "function", "DomainName": host,
            "CustomOriginConfig": {
                "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only",
                "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]}}}]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "function", "ViewerProtocolPolicy": "https-only", "CachePolicyId": CACHE_POLICY,
            "OriginRequestPolicyId": REQUEST_POLICY},
    }


def make(aws, prefix, url, say):
    """Where it answers, once it does."""
    say("making a distribution: some minutes")
    host = urllib.parse.urlsplit(url).hostname
    made = aws(
        "cloudfront", "create-distribution", "--distribution-config", json.dumps(configuration(prefix, host)),
        dry={"Distribution": {"Id": "E123", "DomainName": "d123.cloudfront.net"}})["Distribution"]
    wait_until_deployed(aws, made["Id"])
    return f"https://{made['DomainName']}"


def wait_until_deployed(aws, name):
    limit = time.monotonic() + PATIENCE
    while True:
        found = aws("cloudfront", "get-distribution", "--id", name, dry={"Distribution": {"Status": "Deployed"}})
        if found["Distribution"]["Status"] == "Deployed":
            return
        if time.monotonic() > limit:
            raise RuntimeError(f"the distribution {name} is not deployed after {PATIENCE} s")
        time.sleep(15)


def delete(aws, prefix, say):
    """Deletes what was made under this name: what is left. CloudFront takes only what is disabled, and deployed as such."""
    try:
        listed = aws(
            "cloudfront", "list-distributions", dry={"DistributionList": {"Items": [{"Id": "E123", "Comment": prefix}]}})
    except AwsError as error:
        return [f"distributions with the comment {prefix}: nobody knows: {error}"]
    left = []
    for one in (listed.get("DistributionList") or {}).get("Items") or []:
        if one.get("Comment") != prefix:
            continue
        say("deleting the distribution: some minutes")
        try:
            end(aws, prefix, one["Id"])
        except (AwsError, RuntimeError) as error:
            left.append(f"distribution {one['Id']}: {error}")
    return left


def end(aws, prefix, name):
    found = aws(
        "cloudfront", "get-distribution-config", "--id", name,
        dry={"ETag": "E1", "DistributionConfig": configuration(prefix, "wire.lambda-url.us-east-1.on.aws")})
    if found["DistributionConfig"]["Enabled"]:
        off = {**found["DistributionConfig"], "Enabled": False}
        aws(
            "cloudfront", "update-distribution", "--id", name, "--if-match", found["ETag"], "--distribution-config",
            json.dumps(off))
    wait_until_deployed(aws, name)
    tag = aws("cloudfront", "get-distribution", "--id", name, dry={"ETag": "E2", "Distribution": {"Status": "Deployed"}})["ETag"]
    aws("cloudfront", "delete-distribution", "--id", name, "--if-match", tag)
