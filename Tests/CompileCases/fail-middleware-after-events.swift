// expect: middleware goes above the routes
import Sluice

func build(_ events: Events) -> LambdaApp {
    LambdaApp {
        events
        RequestID()
    }
}
