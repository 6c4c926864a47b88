import { z } from 'zod'

/** Messages are keys of the `fields` texts, so that each language says how to mend the field in its own words. */

/** The longest address that mail can carry (RFC 5321). */
const EMAIL_LENGTH_MAX = 254

export const emailSchema = z
  .string('email_invalid')
  .trim()
  .toLowerCase()
  .max(EMAIL_LENGTH_MAX, 'email_invalid')
  .pipe(z.email('email_invalid'))

export const usernameSchema = z
  .string('username_invalid')
  .trim()
  .min(3, 'username_length')
  .max(32, 'username_length')
  .regex(/^[a-zA-Z0-9_.-]+$/, 'username_invalid')

/** Ten characters at least; two hundred at most, so that hashing one stays cheap for us. Any characters, also spaces. */
export const passwordSchema = z.string('password_length').min(10, 'password_length').max(200, 'password_length')

/** A password as typed at sign-in: not judged here, only bounded. */
const typedPasswordSchema = z.string('required').min(1, 'required').max(200, 'password_wrong')

export const localeSchema = z.enum(['en', 'ru'], 'choice_invalid')

/** The secret of a mailed link: 32 bytes in base64url. */
export const tokenSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

const ticked = (message: string) => z.literal('on', message)
const tick = z
  .literal('on', 'choice_invalid')
  .optional()
  .transform((value) => value === 'on')

export const signUpSchema = z.object({
  email: emailSchema,
  username: usernameSchema,
  password: passwordSchema,
  terms: ticked('terms_needed'),
  age: ticked('age_needed'),
  marketing: tick,
  /** Where to go once the account is open. */
  next: z.string().max(2000).optional(),
  /** An invitation's code, if there is one, and the code that the address carried. */
  invitation: z.string().trim().max(40).default(''),
  ref: z.string().max(40).optional(),
})

export const signInSchema = z.object({
  // Zero bytes are refused here and not by PostgreSQL, which cannot store them and would make a fault of them.
  login: z
    .string('required')
    .trim()
    .min(1, 'required')
    .max(EMAIL_LENGTH_MAX, 'login_invalid')
    .regex(/^[^\0]*$/, 'login_invalid'),
  password: typedPasswordSchema,
  next: z.string().max(2000).optional(),
})

export const emailOnlySchema = z.object({ email: emailSchema })
export const verifyEmailSchema = z.object({ token: z.string().max(200).default('') })
export const resetPasswordSchema = z.object({ token: z.string().max(200).default(''), password: passwordSchema })
export const updateProfileSchema = z.object({ username: usernameSchema, locale: localeSchema })
export const changePasswordSchema = z.object({ currentPassword: typedPasswordSchema, password: passwordSchema })
