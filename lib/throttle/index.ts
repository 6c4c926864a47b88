export { type Guesser, limitGuesses, takeTurn, type TooManyTries, type ThrottleKind } from './take-turn'
