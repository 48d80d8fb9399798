"""What a run makes on AWS: names that are known beforehand, so that all of it can be deleted whatever happened."""
import json
import platform
import time

from .aws import AwsError
from .places import PLACES

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
# No logs:CreateLogGroup: what a sandbox writes after the deletion must not make its group again.
LOGS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}],
}


class Stack:
    def __init__(self, aws, prefix, say):
        self.aws, self.prefix, self.say = aws, prefix, say
        self.has_begun, self.role = False, None

    def function(self, place):
        return f"{self.prefix}-{place.name}"

    def log_group(self, place):
        return f"/aws/lambda/{self.function(place)}"

    # --- making ------------------------------------------------------------------------------------------------------

    def begin(self):
        """The role that all functions have. Nothing is made where there is no account."""
        self.aws("sts", "get-caller-identity")
        self.has_begun = True
        made = self.aws(
            "iam", "create-role", "--role-name", self.prefix, "--assume-role-policy-document", json.dumps(TRUST), "--description",
            "The canary of Sluice: to be deleted at its end", dry={"Role": {"Arn": f"arn:aws:iam::123456789012:role/{self.prefix}"}})
        self.role = made["Role"]["Arn"]
        self.aws(
            "iam", "put-role-policy", "--role-name", self.prefix, "--policy-name", "logs", "--policy-document", json.dumps(LOGS))

    def make(self, place, zip_path):
        """A function with its front end: where it answers."""
        name = self.function(place)
        self.say(f"making {name}")
        self.aws("logs", "create-log-group", "--log-group-name", self.log_group(place))
        # Should its deletion fail, what is in it is gone in a day.
        self.aws("logs", "put-retention-policy", "--log-group-name", self.log_group(place), "--retention-in-days", 1)
        arn = self.make_function(place, name, zip_path)
        self.wait_until_active(name)
        if place.is_gateway:
            return self.make_api(name, arn)
        made = self.aws(
            "lambda", "create-function-url-config", "--function-name", name, "--auth-type", "NONE", "--invoke-mode",
            "RESPONSE_STREAM" if place.url_streams else "BUFFERED",
            dry={"FunctionUrl": f"https://{place.name}.lambda-url.us-east-1.on.aws/"})
        # Since October 2025 a new URL needs both.
        self.aws(
            "lambda", "add-permission", "--function-name", name, "--statement-id", "url", "--action", "lambda:InvokeFunctionUrl",
            "--principal", "*", "--function-url-auth-type", "NONE")
        self.aws(
            "lambda", "add-permission", "--function-name", name, "--statement-id", "url-function", "--action",
            "lambda:InvokeFunction", "--principal", "*", "--invoked-via-function-url")
        return made["FunctionUrl"].rstrip("/")

    def make_function(self, place, name, zip_path):
        limit = time.monotonic() + 90
        while True:
            try:
                made = self.aws(
                    "lambda", "create-function", "--function-name", name, "--runtime", "provided.al2023", "--handler", "bootstrap",
                    "--architectures", "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64", "--role", self.role,
                    "--timeout", place.timeout, "--memory-size", 256, "--zip-file", f"fileb://{zip_path}", "--environment",
                    json.dumps({"Variables": self.variables(place)}), "--logging-config",
                    json.dumps({"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "DEBUG",
                                "LogGroup": self.log_group(place)}),
                    dry={"FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}"})
                return made["FunctionArn"]
            except AwsError as error:
                # A new role takes a while to be known everywhere.
                is_early = error.code in ("InvalidParameterValueException", "AccessDeniedException") and (
                    "role" in error.text or "KMS" in error.text)
                if not is_early or time.monotonic() > limit:
                    raise
                time.sleep(3)

    def variables(self, place):
        # Lambda sets its own from the logging configuration.
        return {name: value for name, value in place.variables.items() if not name.startswith("AWS_LAMBDA_")}

    def wait_until_active(self, name):
        limit = time.monotonic() + 120
        while True:
            state = self.aws(
                "lambda", "get-function-configuration", "--function-name", name, dry={"State": "Active"}).get("State")
            if state == "Active":
                return
            if state == "Failed" or time.monotonic() > limit:
                raise RuntimeError(f"{name} is {state}")
            time.sleep(1)

    def make_api(self, name, arn):
        made = self.aws(
            "apigatewayv2", "create-api", "--name", self.prefix, "--protocol-type", "HTTP", "--target", arn,
            dry={"ApiId": "a1b2c3d4e5", "ApiEndpoint": "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"})
        partition, _, region, account = arn.split(":")[1:5]
        self.aws(
            "lambda", "add-permission", "--function-name", name, "--statement-id", "api", "--action", "lambda:InvokeFunction",
            "--principal", "apigateway.amazonaws.com", "--source-arn",
            f"arn:{partition}:execute-api:{region}:{account}:{made['ApiId']}/*/*")
        return made["ApiEndpoint"]

    # --- deleting ----------------------------------------------------------------------------------------------------

    def delete(self):
        """Deletes all that may be there, the rest where one fails: what is left."""
        left = []
        apis = self.listed("apigatewayv2", "get-apis", dry={"Items": [{"Name": self.prefix, "ApiId": "a1b2c3d4e5"}]})
        if apis is None:
            left.append(f"HTTP APIs named {self.prefix}: nobody knows")
        for api in (apis or {}).get("Items", []):
            if api.get("Name") == self.prefix:
                self.drop(left, f"HTTP API {api['ApiId']}", "apigatewayv2", "delete-api", "--api-id", api["ApiId"])
        for place in PLACES.values():
            name = self.function(place)
            # Its URL and its permissions go with it.
            self.drop(left, f"function {name}", "lambda", "delete-function", "--function-name", name)
        for place in PLACES.values():
            group = self.log_group(place)
            self.drop(left, f"log group {group}", "logs", "delete-log-group", "--log-group-name", group)
        policy = ("--role-name", self.prefix, "--policy-name", "logs")
        self.drop(left, f"policy of the role {self.prefix}", "iam", "delete-role-policy", *policy)
        self.drop(left, f"role {self.prefix}", "iam", "delete-role", "--role-name", self.prefix)
        return left + self.remains()

    def drop(self, left, what, *command):
        for attempt in range(5):
            try:
                self.aws(*command)
                return
            except AwsError as error:
                if error.is_gone:
                    return
                reason = error
                if attempt < 4:
                    time.sleep(3)
        left.append(f"{what}: {reason}")

    def remains(self):
        """What AWS still lists under the prefix; what is on its way out gets a while."""
        for attempt in range(5):
            found = self.listed_remains()
            if not found:
                return []
            if attempt < 4:
                time.sleep(3)
        return found

    def listed_remains(self):
        groups = self.listed("logs", "describe-log-groups", "--log-group-name-prefix", f"/aws/lambda/{self.prefix}")
        functions = self.listed("lambda", "list-functions")
        if groups is None or functions is None:
            return ["what AWS did not want to list"]
        names = [one["FunctionName"] for one in functions.get("Functions", [])]
        return [f"log group {one['logGroupName']}" for one in groups.get("logGroups", [])] + [
            f"function {name}" for name in names if name.startswith(self.prefix)
        ]

    def listed(self, *command, dry=None):
        try:
            return self.aws(*command, dry=dry)
        except AwsError as error:
            self.say(str(error))
            return None
