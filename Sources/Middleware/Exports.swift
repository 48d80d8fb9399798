// Members of these modules are part of what app code touches: with MemberImportVisibility one that is missing breaks users.
@_exported public import HTTPTypes
@_exported public import Logging
@_exported public import SluiceCore
@_exported public import SluiceEvents
@_exported public import SluiceStreaming
