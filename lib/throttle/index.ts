export { type Guesser, limitGuesses, takeTurn, type ThrottleKind } from './take-turn'
