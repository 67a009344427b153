struct Taker {}
