import { z } from 'zod'
import { isTimeZone, readLocal } from './zoned-time'

export const ANNOUNCEMENT_KINDS = ['news', 'change', 'maintenance'] as const
export type AnnouncementKind = (typeof ANNOUNCEMENT_KINDS)[number]

export const TITLE_MAX = 120
export const TEXT_MAX = 8000
/** A longer maintenance is a typing mistake in a date. */
const MAINTENANCE_DAYS_MAX = 31

const absent = (value: unknown) => (typeof value === 'string' && value.trim() === '' ? undefined : value)
const title = z
  .string()
  .trim()
  .min(1, 'required')
  .max(TITLE_MAX, 'text_too_long')
  .regex(/^[^\p{Cc}]*$/u, 'value_invalid')
const text = z
  .string()
  .transform((typed) => typed.replaceAll(/\r\n?/g, '\n').trim())
  .pipe(
    z
      .string()
      .min(1, 'required')
      .max(TEXT_MAX, 'text_too_long')
      .regex(/^(?:[^\p{Cc}]|[\n\t])*$/u, 'value_invalid'),
  )
const texts = { titleEn: title, titleRu: title, textEn: text, textRu: text }
const moment = z.preprocess(absent, z.string().max(30).optional())
/** The zone whose times the form showed: typed times are read by its clocks. */
const timeZone = z.string().max(64).refine(isTimeZone, 'value_invalid')
const isTicked = z.preprocess((value) => value === 'on' || value === true || value === 'true', z.boolean())
const list = (value: unknown) => (value === undefined || value === '' ? [] : Array.isArray(value) ? value : [value])
const ids = z.preprocess(list, z.array(z.string().max(60)).max(500))
const named = { announcementId: z.string().max(60), revision: z.coerce.number().int().min(1) }

type Times = { timeZone: string; beginsAt?: string; endsAt?: string }

/** The times of a maintenance, or the day from which a change holds. */
function readTimes(
  input: Times,
  kind: AnnouncementKind,
  context: z.RefinementCtx,
): { beginsAt: Date | null; endsAt: Date | null } {
  const fault = (path: 'beginsAt' | 'endsAt', message: string) =>
    context.addIssue({ code: 'custom', path: [path], message })
  const read = (path: 'beginsAt' | 'endsAt', isNeeded: boolean) => {
    const typed = input[path]
    const at = typed === undefined ? null : readLocal(typed, input.timeZone)
    if (at === null && (typed !== undefined || isNeeded)) fault(path, 'moment_form')
    return at
  }
  if (kind === 'news') return { beginsAt: null, endsAt: null }
  const isMaintenance = kind === 'maintenance'
  const beginsAt = read('beginsAt', isMaintenance)
  if (!isMaintenance) return { beginsAt, endsAt: null }
  const endsAt = read('endsAt', true)
  if (beginsAt && endsAt && endsAt <= beginsAt) fault('endsAt', 'ends_before_start')
  else if (beginsAt && endsAt && endsAt.getTime() - beginsAt.getTime() > MAINTENANCE_DAYS_MAX * 86_400_000)
    fault('endsAt', 'maintenance_too_long')
  return { beginsAt, endsAt }
}

/** An announcement as staff write it. What does not belong to its kind is not read. */
export const saveAnnouncementSchema = z
  .object({
    announcementId: z.preprocess(absent, z.string().max(60).optional()),
    revision: z.preprocess(absent, z.coerce.number().int().min(1).optional()),
    kind: z.enum(ANNOUNCEMENT_KINDS),
    ...texts,
    timeZone,
    beginsAt: moment,
    endsAt: moment,
    isWholeShop: isTicked,
    suppliers: ids,
    offerIds: ids,
    productIds: ids,
    countries: z
      .string()
      .max(2000, 'text_too_long')
      .default('')
      .transform((typed, context) => {
        const codes = [
          ...new Set(
            typed
              .toUpperCase()
              .split(/[\s,;]+/)
              .filter(Boolean),
          ),
        ]
        if (codes.every((code) => /^[A-Z]{2}$/.test(code))) return codes
        context.addIssue({ code: 'custom', message: 'country_form' })
        return z.NEVER
      }),
  })
  .transform(({ countries, timeZone: zone, ...input }, context) => {
    const { kind } = input
    const times = readTimes({ timeZone: zone, beginsAt: input.beginsAt, endsAt: input.endsAt }, kind, context)
    const isNarrow = kind === 'maintenance' && !input.isWholeShop
    const touched = {
      isWholeShop: kind === 'maintenance' && input.isWholeShop,
      suppliers: isNarrow ? input.suppliers : [],
      offerIds: isNarrow ? input.offerIds : [],
      productIds: isNarrow ? input.productIds : [],
      countryCodes: isNarrow ? countries : [],
    }
    const named =
      touched.suppliers.length + touched.offerIds.length + touched.productIds.length + touched.countryCodes.length
    if (isNarrow && named === 0) context.addIssue({ code: 'custom', path: ['isWholeShop'], message: 'touches_needed' })
    const { announcementId, revision, titleEn, titleRu, textEn, textRu } = input
    return { announcementId, revision, kind, titleEn, titleRu, textEn, textRu, ...times, ...touched }
  })
export type SaveAnnouncementInput = z.output<typeof saveAnnouncementSchema>

export const editTextsSchema = z.object({ ...named, ...texts })
export type EditTextsInput = z.output<typeof editTextsSchema>

/** Without a time: now. */
export const publishSchema = z
  .object({ ...named, when: z.enum(['now', 'later']), timeZone, publishAt: moment })
  .transform(({ when, timeZone: zone, publishAt, ...input }, context) => {
    if (when === 'now') return { ...input, publishAt: null }
    const at = publishAt === undefined ? null : readLocal(publishAt, zone)
    if (at) return { ...input, publishAt: at }
    context.addIssue({ code: 'custom', path: ['publishAt'], message: 'moment_form' })
    return z.NEVER
  })
export type PublishInput = z.output<typeof publishSchema>

export const changeTimesSchema = z
  .object({ ...named, timeZone, beginsAt: moment, endsAt: moment })
  .transform(({ announcementId, revision, ...typed }, context) => {
    const { beginsAt, endsAt } = readTimes(typed, 'maintenance', context)
    if (beginsAt && endsAt) return { announcementId, revision, beginsAt, endsAt }
    return z.NEVER
  })
export type ChangeTimesInput = z.output<typeof changeTimesSchema>

export const withdrawSchema = z.object(named)
export type WithdrawInput = z.output<typeof withdrawSchema>
