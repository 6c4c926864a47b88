import { z } from 'zod'

/** Messages are keys of the `fields` texts. Safe in the browser. */

/** What people may want to hear of. Their names and the sentences to agree to stand in messages/, in both languages. */
export const TOPICS = ['news', 'offers', 'guides'] as const
export type Topic = (typeof TOPICS)[number]

/** By which way. Telegram only into a chat that its person linked. */
export const CHANNELS = ['mail', 'telegram'] as const
export type Channel = (typeof CHANNELS)[number]

export const topicSchema = z.enum(TOPICS, 'choice_invalid')

const list = (value: unknown) => (value === undefined || value === '' ? [] : Array.isArray(value) ? value : [value])
/** The boxes that are ticked: no box, no topic. */
const topics = z.preprocess(list, z.array(topicSchema).max(TOPICS.length, 'choice_invalid'))

export const chooseTopicsSchema = z.object({ topics })
/** A preference page's form; `stop` is the button that ends everything. */
export const preferencesSchema = z.object({
  token: z.string().max(200).default(''),
  topics,
  stop: z.literal('all').optional(),
})
/** The same by Telegram, from the page that a message links to. */
export const topicsByLinkSchema = z.object({ token: z.string().max(200).default(''), topics })
const ticked = z.preprocess((value) => value === 'on', z.boolean())
export const chooseMeasuringSchema = z.object({ isAllowed: ticked })
export const measuringByLinkSchema = z.object({ token: z.string().max(200).default(''), isAllowed: ticked })
export const confirmSchema = z.object({ token: z.string().max(200).default('') })
export const withdrawSchema = z.object({ userId: z.string().max(60) })

/** Mails a second that a shop may send to many; Resend takes two batches of a hundred. */
const RATE_MAX = 200

export const marketingRulesSchema = z.object({
  /** Whether a yes counts only after a click in a confirming mail. */
  doubleOptIn: z.boolean(),
  mailsPerSecond: z.number().int().min(1).max(RATE_MAX),
})
export const marketingRulesForm = z.object({
  doubleOptIn: ticked,
  mailsPerSecond: z.coerce.number('amount_not_a_number').int().min(1).max(RATE_MAX),
})

const absent = (value: unknown) => (typeof value === 'string' && value.trim() === '' ? undefined : value)

/** A day as `date` fields send it; it begins at midnight UTC. */
const day = z.preprocess(
  absent,
  z
    .string()
    .regex(/^20\d{2}-\d{2}-\d{2}$/, 'value_invalid')
    .refine((text) => !Number.isNaN(Date.parse(text)), 'value_invalid')
    .optional(),
)

/** Who of those that agreed to the topic. Every condition narrows; nothing here can widen. */
export const audienceSchema = z.object({
  productId: z.string().max(60).optional(),
  countryCode: z
    .string()
    .regex(/^[A-Z]{2}$/, 'country_form')
    .optional(),
  lastOrderFrom: day,
  lastOrderBefore: day,
  locale: z.enum(['en', 'ru'], 'choice_invalid').optional(),
  hasBalance: z.boolean().default(false),
})
export type Audience = z.output<typeof audienceSchema>

/** No control characters, and none of the private ones that stand for the name until a mail is made for its person. */
const PLAIN = /^[^\p{Cc}\p{Co}\u2028\u2029]*$/u
const line = (max: number) =>
  z.string('required').trim().min(1, 'required').max(max, 'text_too_long').regex(PLAIN, 'value_invalid')
const body = z
  .string('required')
  .transform((text) => text.replace(/\r\n?/g, '\n').trim())
  .pipe(
    z
      .string()
      .min(1, 'required')
      .max(10_000, 'text_too_long')
      .refine((text) => PLAIN.test(text.replace(/[\n\t]/g, '')), 'value_invalid'),
  )

/** Telegram takes 4096 signs; why it came and the way out need some, and a name may stand in many places. */
const TELEGRAM_TEXT_MAX = 3500
const NAME_MAX = 40

/** A campaign as staff write it: flat, as its form sends it. */
export const saveCampaignSchema = z
  .object({
    campaignId: z.preprocess(absent, z.string().max(60).optional()),
    revision: z.preprocess(absent, z.coerce.number().int().min(1).optional()),
    name: line(120),
    topic: topicSchema,
    channel: z.enum(CHANNELS, 'choice_invalid').default('mail'),
    productId: z.preprocess(absent, z.string().max(60).optional()),
    countryCode: z.preprocess(
      (value) => (typeof value === 'string' ? absent(value.trim().toUpperCase()) : value),
      audienceSchema.shape.countryCode,
    ),
    lastOrderFrom: day,
    lastOrderBefore: day,
    locale: z.preprocess(absent, audienceSchema.shape.locale),
    hasBalance: z.preprocess((value) => value === 'on' || value === true, z.boolean()),
    subjectEn: line(150),
    bodyEn: body,
    subjectRu: line(150),
    bodyRu: body,
  })
  .refine(
    ({ lastOrderFrom, lastOrderBefore }) => !lastOrderFrom || !lastOrderBefore || lastOrderFrom < lastOrderBefore,
    { path: ['lastOrderBefore'], message: 'ends_before_start' },
  )
  .superRefine(({ channel, ...words }, context) => {
    if (channel !== 'telegram') return
    for (const [subject, body] of [
      ['subjectEn', 'bodyEn'],
      ['subjectRu', 'bodyRu'],
    ] as const) {
      const names = `${words[subject]}${words[body]}`.split('{name}').length - 1
      if (words[subject].length + words[body].length + names * NAME_MAX > TELEGRAM_TEXT_MAX)
        context.addIssue({ code: 'custom', path: [body], message: 'text_too_long' })
    }
  })
  .transform(({ productId, countryCode, lastOrderFrom, lastOrderBefore, locale, hasBalance, ...input }) => ({
    ...input,
    audience: { productId, countryCode, lastOrderFrom, lastOrderBefore, locale, hasBalance } satisfies Audience,
  }))
export type SaveCampaignInput = z.output<typeof saveCampaignSchema>

/** A moment as `datetime-local` fields send it, in UTC. */
const moment = z
  .string('required')
  .regex(/^20\d{2}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/, 'value_invalid')
  .transform((typed, context) => {
    const date = new Date(`${typed}Z`)
    if (!Number.isNaN(date.getTime())) return date
    context.addIssue({ code: 'custom', message: 'value_invalid' })
    return z.NEVER
  })

export const campaignIdSchema = z.object({ campaignId: z.string().max(60) })
/** `revision`: as it was when whoever presses saw it, so that nothing goes out that they have not read. */
export const startSchema = z.object({ campaignId: z.string().max(60), revision: z.coerce.number().int().min(1) })
export const scheduleSchema = startSchema.extend({ at: moment })
export const moveSchema = z.object({
  campaignId: z.string().max(60),
  to: z.enum(['pause', 'resume', 'cancel', 'unschedule']),
})
