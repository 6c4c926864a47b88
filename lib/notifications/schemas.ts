import { z } from 'zod'
import { isReadableAccent } from './contrast'

/** Messages are keys of the `fields` texts. Safe in the browser. */

const FOOTER_LINES_MAX = 4
const FOOTER_LINE_MAX = 120
const LINE_MAX = 60

/** A line that stands in a header or a heading: nothing in it can end the line, quote or open a tag. */
const line = z
  .string('value_invalid')
  .trim()
  .max(LINE_MAX, 'text_too_long')
  .regex(/^[^\p{Cc}\u2028\u2029<>"\\]*$/u, 'line_form')

const addressOrNothing = z
  .string('email_invalid')
  .trim()
  .toLowerCase()
  .max(254, 'email_invalid')
  .refine((value) => value === '' || z.email().safeParse(value).success, 'email_invalid')

const footer = z
  .string('value_invalid')
  .transform((value) =>
    value
      .split(/\r\n|\r|\n/)
      .map((each) => each.trim())
      .filter(Boolean)
      .join('\n'),
  )
  .refine((value) => /^[^\p{Cc}\u2028\u2029]*$/u.test(value.replaceAll('\n', '')), 'value_invalid')
  .refine((value) => {
    const lines = value.split('\n')
    return lines.length <= FOOTER_LINES_MAX && lines.every((each) => each.length <= FOOTER_LINE_MAX)
  }, 'footer_form')

/** Who mails come from, and how they look. Empty fields: as the environment says (MAIL_FROM, SHOP_NAME). */
export const senderSchema = z.object({
  name: line,
  address: addressOrNothing,
  replyTo: addressOrNothing,
  logo: line,
  footer,
  accent: z
    .string('accent_form')
    .trim()
    .toLowerCase()
    .regex(/^#[0-9a-f]{6}$/, { error: 'accent_form', abort: true })
    .refine(isReadableAccent, 'accent_contrast'),
})

export const liftSchema = z.object({
  suppressionId: z.string().max(40),
  reason: z.string('required').trim().min(3, 'required').max(300, 'text_too_long'),
})
export const mailIdSchema = z.object({ emailId: z.string().max(40) })
