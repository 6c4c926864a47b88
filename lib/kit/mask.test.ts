import { expect, test } from 'vitest'
import { maskCardNumbers } from './mask'

test.each([
  ['card 4111 1111 1111 1111 of the payer', 'card •••• 1111 of the payer'],
  ['4111-1111-1111-1111', '•••• 1111'],
  ['378282246310005', '•••• 0005'],
  ['two: 4111111111111111, 5555555555554444.', 'two: •••• 1111, •••• 4444.'],
])('masks what is a card number: %s', (text, masked) => {
  expect(maskCardNumbers(text)).toBe(masked)
})

test.each(['4111111111111112', 'call +7 900 000 00 00', 'paid 12.50 on 2026-11-21', 'pay_0198c0ffee00'])(
  'leaves other digits as they are: %s',
  (text) => {
    expect(maskCardNumbers(text)).toBe(text)
  },
)
