import { createHmac, randomBytes } from 'node:crypto'
import { env } from '@/lib/env'

/** Crockford's alphabet: no I, L, O, U, so that what is read aloud or off paper is read one way. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Sixteen letters of five bits: 80 bits, drawn at random. */
const LENGTH = 16

/** A new voucher's code, in groups of four: "7KQ2-M9XD-0RTB-5HVZ". */
export function newVoucherCode(): string {
  const letters = [...randomBytes(LENGTH)].map((byte) => ALPHABET[byte & 31]).join('')
  return letters.match(/.{4}/g)!.join('-')
}

/** The letters of a code as typed: spaces, dashes and small letters do not count, O is 0, I and L are 1, U is V. Null for what no code looks like. */
export function readVoucherCode(typed: string): string | null {
  const letters = typed
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1')
    .replace(/U/g, 'V')
  return new RegExp(`^[${ALPHABET}]{${LENGTH}}$`).test(letters) ? letters : null
}

/**
 * The digests a code may be kept under: by SETTINGS_KEY, and by the one before it while that is named. Without the key a copy of the database does not even tell
 * whether a code is in it. Where no key is set (never in production), AUTH_SECRET takes its place.
 */
export function digestsOf(letters: string): string[] {
  const { SETTINGS_KEY, SETTINGS_KEY_PREVIOUS, AUTH_SECRET } = env()
  const keys = [SETTINGS_KEY ?? Buffer.from(AUTH_SECRET), ...(SETTINGS_KEY_PREVIOUS ? [SETTINGS_KEY_PREVIOUS] : [])]
  return keys.map((key) => createHmac('sha256', key).update(`voucher ${letters}`).digest('hex'))
}

/** The digest a new code is kept under. */
export function digestOf(letters: string): string {
  return digestsOf(letters)[0]!
}
