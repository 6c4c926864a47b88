/** Thirteen to nineteen digits, with single spaces or dashes between them: the shape of a card's number. */
const CARD_SHAPE = /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g

/**
 * The text with everything that could be a card's number (the right shape and a right check digit) cut to its last four digits.
 * For fields where people write freely; ids and phone numbers, whose check digit is wrong, stay.
 */
export function maskCardNumbers(text: string): string {
  return text.replace(CARD_SHAPE, (found) => {
    const digits = found.replace(/\D/g, '')
    return passesLuhn(digits) ? `•••• ${digits.slice(-4)}` : found
  })
}

function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index])
    const doubled = index % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
