// Members of these modules are part of what app code touches: with MemberImportVisibility one that is missing breaks users.
@_exported public import HTTPTypes
@_exported public import Logging
@_exported public import SluiceMiddleware
@_exported public import SluiceCore
@_exported public import SluiceEvents
@_exported public import SluiceReporting
@_exported public import SluiceStreaming

#if Sentry
@_exported public import SluiceSentry
#endif
