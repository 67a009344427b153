@testable import Planted

func testsGreeting() -> Int { Greeting(name: "test").tested() }
