// expect: routes go above CaptureErrors()
import Sluice

func build(_ routes: Router, _ events: Events) -> LambdaApp {
    LambdaApp {
        routes
        CaptureErrors()
        events
    }
}
