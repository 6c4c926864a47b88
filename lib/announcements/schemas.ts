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

/** What a form with times holds; while other fields of it are wrong, any of them may be missing. */
type Timed = { kind: AnnouncementKind; timeZone?: string; beginsAt?: string; endsAt?: string }

/** A time that was typed, as a moment: null for none, undefined for what cannot be read. */
function momentOf(typed: string | undefined, zone: string | undefined): Date | null | undefined {
  return typed === undefined ? null : (readLocal(typed, zone ?? '') ?? undefined)
}

/** The times of a maintenance, or the day from which a change holds; what does not belong to the kind is none. */
function timesOf({ kind, timeZone: zone, beginsAt, endsAt }: Timed) {
  return {
    begins: kind === 'news' ? null : momentOf(beginsAt, zone),
    ends: kind === 'maintenance' ? momentOf(endsAt, zone) : null,
  }
}

/** Refinements that look also while other fields are wrong, so that everything is said at once. */
const refinement = (field: string, error: string) => ({ path: [field], error, when: () => true })
const isReadable = (at: Date | null | undefined, isNeeded: boolean) => at !== undefined && (at !== null || !isNeeded)
const daysOf = (input: Timed) => {
  const { begins, ends } = timesOf(input)
  return begins && ends ? (ends.getTime() - begins.getTime()) / 86_400_000 : null
}

function withTimes<Schema extends z.ZodType<Timed>>(schema: Schema): Schema {
  return schema
    .refine(
      (input) => isReadable(timesOf(input).begins, input.kind === 'maintenance'),
      refinement('beginsAt', 'moment_form'),
    )
    .refine(
      (input) => isReadable(timesOf(input).ends, input.kind === 'maintenance'),
      refinement('endsAt', 'moment_form'),
    )
    .refine((input) => (daysOf(input) ?? 1) > 0, refinement('endsAt', 'ends_before_start'))
    .refine((input) => (daysOf(input) ?? 1) <= MAINTENANCE_DAYS_MAX, refinement('endsAt', 'maintenance_too_long'))
}

const draftSchema = withTimes(
  z.object({
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
  }),
)

/** An announcement as staff write it. What does not belong to its kind is not read. */
export const saveAnnouncementSchema = draftSchema
  .refine(
    ({ kind, isWholeShop, ...named }) =>
      kind !== 'maintenance' ||
      isWholeShop ||
      [named.suppliers, named.offerIds, named.productIds, named.countries].some((each) => (each?.length ?? 0) > 0),
    refinement('isWholeShop', 'touches_needed'),
  )
  .transform(({ countries, timeZone: zone, ...input }) => {
    const { announcementId, revision, kind, titleEn, titleRu, textEn, textRu } = input
    const { begins, ends } = timesOf({ ...input, timeZone: zone })
    const isMaintenance = kind === 'maintenance'
    const isNarrow = isMaintenance && !input.isWholeShop
    return {
      announcementId,
      revision,
      kind,
      titleEn,
      titleRu,
      textEn,
      textRu,
      beginsAt: begins ?? null,
      endsAt: ends ?? null,
      isWholeShop: isMaintenance && input.isWholeShop,
      suppliers: isNarrow ? input.suppliers : [],
      offerIds: isNarrow ? input.offerIds : [],
      productIds: isNarrow ? input.productIds : [],
      countryCodes: isNarrow ? countries : [],
    }
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

export const changeTimesSchema = withTimes(
  z.object({
    ...named,
    kind: z.literal('maintenance').default('maintenance'),
    timeZone,
    beginsAt: moment,
    endsAt: moment,
  }),
).transform((input) => {
  const { begins, ends } = timesOf(input)
  // Both are there: the refinements above asked for them.
  return { announcementId: input.announcementId, revision: input.revision, beginsAt: begins!, endsAt: ends! }
})
export type ChangeTimesInput = z.output<typeof changeTimesSchema>

export const withdrawSchema = z.object(named)
export type WithdrawInput = z.output<typeof withdrawSchema>

export const deleteDraftSchema = z.object(named)
export type DeleteDraftInput = z.output<typeof deleteDraftSchema>
