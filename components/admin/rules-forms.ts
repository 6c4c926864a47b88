import { z } from 'zod'

/** A whole number as typed, within bounds. An empty field is no zero. */
const whole = (least: number, most: number) =>
  z
    .string()
    .trim()
    .regex(/^\d{1,6}$/, 'whole_number')
    .transform(Number)
    .pipe(z.number().int().min(least).max(most))

/** How orders renew themselves; the bounds are those of `renewalRules`. */
export const renewalRulesFormSchema = z
  .object({ leadHours: whole(1, 168), graceHours: whole(0, 336), retryHours: whole(1, 48) })
  .refine((rules) => rules.retryHours <= rules.leadHours + rules.graceHours, {
    path: ['retryHours'],
    message: 'retry_too_late',
  })

/** How proxies are checked by themselves; the bounds are those of `checkRules`. */
export const checkRulesFormSchema = z.object({ everyHours: whole(1, 168), atOnce: whole(1, 200) })
