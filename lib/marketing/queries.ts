import { db, Prisma } from '@/lib/db'
import { isId, type Page, pageOf } from '@/lib/kit'
import { findTelegramBot } from '@/lib/notices'
import type { MailFailure, MailState } from '@/lib/notifications'
import { maskAddress } from './audience'
import { PLACES } from './message'
import { listLinks, piecesOf } from './markup'
import { readPreferencesToken } from './links'
import { findLinkedAt, YES_OF_THIS_CHAT } from './linked-chat'
import type { Audience, Channel, Topic } from './schemas'
import { TOPICS } from './schemas'
import { type CampaignState, RECIPIENT_STATES, type RecipientState } from './states'

export type ChoiceState = 'on' | 'pending' | 'off'
export type ChoiceProof = {
  isGranted: boolean
  isPending: boolean
  version: string
  text: string
  locale: string
  source: string | null
  at: Date
}
export type ChoiceView = { topic: Topic; state: ChoiceState; proof: ChoiceProof | null }

/**
 * What somebody wants by a channel now, every topic, each with the proof it rests on; off and without proof where nothing was ever said. A yes by Telegram that was given before the chat
 * was linked is off.
 */
export async function listChoices(userId: string, channel: Channel = 'mail'): Promise<ChoiceView[]> {
  const rows = await db().$queryRaw<(ChoiceProof & { topic: Topic; state: ChoiceState })[]>(Prisma.sql`
    SELECT m.topic, CASE WHEN m.channel = 'mail' OR (${YES_OF_THIS_CHAT}) THEN m.state ELSE 'off' END AS state, c.is_granted AS "isGranted", c.is_pending AS "isPending", c.version, c.text, c.locale, c.source, c.at
    FROM marketing_choices m JOIN consents c ON c.id = m.consent_id LEFT JOIN linked_channels l ON l.user_id = m.user_id AND l.channel = m.channel
    WHERE m.user_id = ${userId} AND m.channel = ${channel}`)
  return TOPICS.map((topic) => {
    const row = rows.find((each) => each.topic === topic)
    if (!row) return { topic, state: 'off', proof: null }
    const { state, topic: _, ...proof } = row
    return { topic, state, proof }
  })
}

export type MeasuringView = { isAllowed: boolean; proof: ChoiceProof | null }

/** Whether the shop may learn what somebody opens and follows in its news, with the proof; no and without proof where nothing was ever said. */
export async function findMeasuring(userId: string): Promise<MeasuringView> {
  const [row] = await db().$queryRaw<(ChoiceProof & { isAllowed: boolean })[]>(Prisma.sql`
    SELECT m.is_allowed AS "isAllowed", c.is_granted AS "isGranted", c.is_pending AS "isPending", c.version, c.text, c.locale, c.source, c.at
    FROM measuring_choices m JOIN consents c ON c.id = m.consent_id WHERE m.user_id = ${userId}`)
  if (!row) return { isAllowed: false, proof: null }
  const { isAllowed, ...proof } = row
  return { isAllowed, proof }
}

/** What somebody wants by Telegram; null where the operator has the bot off or no chat is linked, so that there is nothing to choose. */
export async function findTelegramChoices(userId: string): Promise<ChoiceView[] | null> {
  const [bot, linkedAt] = await Promise.all([findTelegramBot(), findLinkedAt(userId)])
  return bot && linkedAt ? listChoices(userId, 'telegram') : null
}

export type PreferencesView = {
  address: string
  locale: string
  choices: ChoiceView[]
  telegram: ChoiceView[] | null
  measuring: MeasuringView
}

/** What a preference page shows to whoever has the link: a masked address and the choices. Null for a token that is not ours, or whose person is gone. */
export async function findPreferences(token: string): Promise<PreferencesView | null> {
  const link = readPreferencesToken(token)
  if (!link) return null
  const person = await db().user.findUnique({ where: { id: link.userId }, select: { email: true, locale: true } })
  if (!person) return null
  const [choices, telegram, measuring] = await Promise.all([
    listChoices(link.userId),
    findTelegramChoices(link.userId),
    findMeasuring(link.userId),
  ])
  return { address: maskAddress(person.email), locale: person.locale, choices, telegram, measuring }
}

export type CampaignRow = {
  id: string
  name: string
  topic: Topic
  channel: Channel
  state: CampaignState
  audience: Audience
  subjectEn: string
  bodyEn: string
  subjectRu: string
  bodyRu: string
  revision: number
  createdAt: Date
  startsAt: Date | null
  startedAt: Date | null
  endedAt: Date | null
  isCollected: boolean
  failure: MailFailure | null
  nextBatchAt: Date | null
}

/** Every campaign, newest first. */
export async function listCampaigns(): Promise<CampaignRow[]> {
  return (await db().campaign.findMany({ orderBy: { id: 'desc' }, take: 200 })) as unknown as CampaignRow[]
}

/** One campaign; null when there is none. */
export async function findCampaign(id: string): Promise<CampaignRow | null> {
  if (!isId('cpn', id)) return null
  return (await db().campaign.findUnique({ where: { id } })) as unknown as CampaignRow | null
}

/** What is counted by its last word was sent before. */
const SENT_STATES = ['sent', 'delivered', 'delayed', 'bounced', 'complained', 'suppressed'] as const

export type CampaignFigures = {
  recipients: number
  /** Handed over and not refused, whatever became of them later. */
  sent: number
  unsubscribed: number
  /** Of those it was sent to: who allows to be measured, and how many of these opened it, or followed a link of it. */
  measured: number
  opened: number
  clicked: number
} & Record<RecipientState, number>

/** How campaigns stand. Opened and clicked are counted of those alone who allow it. */
export async function listFigures(campaignIds: readonly string[]): Promise<Map<string, CampaignFigures>> {
  if (campaignIds.length === 0) return new Map()
  const ids = Prisma.join([...campaignIds])
  const [states, left, readings] = await Promise.all([
    db().$queryRaw<{ id: string; state: RecipientState; count: bigint }[]>(
      Prisma.sql`SELECT campaign_id AS id, state, count(*) AS count FROM campaign_recipients WHERE campaign_id IN (${ids}) GROUP BY 1, 2`,
    ),
    db().$queryRaw<{ id: string; count: bigint }[]>(
      Prisma.sql`SELECT cause AS id, count(DISTINCT user_id) AS count FROM consents WHERE cause IN (${ids}) AND kind = 'marketing' AND NOT is_granted GROUP BY 1`,
    ),
    // Whoever opened it has it, whatever the mail service says of it.
    db().$queryRaw<{ id: string; measured: bigint; opened: bigint; clicked: bigint }[]>(
      Prisma.sql`SELECT campaign_id AS id, count(*) FILTER (WHERE opened_at IS NOT NULL OR state IN (${Prisma.join([...SENT_STATES])})) AS measured,
          count(opened_at) AS opened, count(clicked_at) AS clicked
        FROM campaign_recipients WHERE campaign_id IN (${ids}) AND is_measured GROUP BY 1`,
    ),
  ])
  return new Map(
    campaignIds.map((id) => {
      const of = (state: RecipientState) =>
        Number(states.find((row) => row.id === id && row.state === state)?.count ?? 0n)
      const counts = Object.fromEntries(RECIPIENT_STATES.map((state) => [state, of(state)])) as Record<
        RecipientState,
        number
      >
      const reading = readings.find((row) => row.id === id)
      const sum = (...named: RecipientState[]) => named.reduce((total, state) => total + counts[state], 0)
      return [
        id,
        {
          ...counts,
          recipients: sum(...RECIPIENT_STATES),
          sent: sum(...SENT_STATES),
          unsubscribed: Number(left.find((row) => row.id === id)?.count ?? 0n),
          measured: Number(reading?.measured ?? 0n),
          opened: Number(reading?.opened ?? 0n),
          clicked: Number(reading?.clicked ?? 0n),
        },
      ]
    }),
  )
}

export type LinkFigure = { locale: 'en' | 'ru'; number: number; url: string; people: number }

/** Which link of a campaign was the first that somebody followed, of those who allow it; in the order of the text. Never who. */
export async function listLinkFigures(campaign: Pick<CampaignRow, 'id' | 'bodyEn' | 'bodyRu'>): Promise<LinkFigure[]> {
  const rows = await db().$queryRaw<{ locale: string; number: number; people: bigint }[]>(Prisma.sql`
    SELECT locale, clicked_link AS number, count(*) AS people FROM campaign_recipients
    WHERE campaign_id = ${campaign.id} AND is_measured AND clicked_link IS NOT NULL GROUP BY 1, 2`)
  return (['en', 'ru'] as const).flatMap((locale) =>
    listLinks(locale === 'ru' ? campaign.bodyRu : campaign.bodyEn).flatMap(({ number, url }) => {
      const people = Number(rows.find((row) => row.locale === locale && row.number === number)?.people ?? 0n)
      return people > 0 ? [{ locale, number, url, people }] : []
    }),
  )
}

export type RecipientView = {
  id: string
  userId: string
  address: string
  state: RecipientState
  failure: string | null
  at: Date
}
const PAGE = 50

/** Who a campaign went to, newest first, masked; `state` narrows. */
export async function listRecipients(query: {
  campaignId: string
  state?: string | undefined
  before?: string | undefined
}): Promise<Page<RecipientView>> {
  const state = RECIPIENT_STATES.find((each) => each === query.state)
  const rows = await db().campaignRecipient.findMany({
    where: {
      campaignId: query.campaignId,
      ...(state ? { state } : {}),
      ...(query.before && isId('rcp', query.before) ? { id: { lt: query.before } } : {}),
    },
    orderBy: { id: 'desc' },
    take: PAGE + 1,
    select: { id: true, userId: true, to: true, state: true, failure: true, stateAt: true },
  })
  return pageOf(
    rows.map(({ to, stateAt, ...row }) => ({
      ...row,
      state: row.state as RecipientState,
      // A chat is a number, which says nothing to staff.
      address: !to ? '–' : to.includes('@') ? maskAddress(to) : 'Telegram',
      at: stateAt,
    })),
    PAGE,
  )
}

export type CampaignMailView = {
  id: string
  channel: Channel
  subject: string
  locale: string
  state: MailState
  failure: string | null
  at: Date
}

/** The mails of campaigns that went to somebody, newest first: the part of "every mail sent to me" that has no row among the other mails. */
export async function listCampaignMails(query: {
  userId: string
  before?: string | undefined
}): Promise<Page<CampaignMailView>> {
  const rows = await db().campaignRecipient.findMany({
    where: {
      userId: query.userId,
      state: { notIn: ['queued', 'skipped'] },
      ...(query.before && isId('rcp', query.before) ? { id: { lt: query.before } } : {}),
    },
    orderBy: { id: 'desc' },
    take: PAGE + 1,
    select: {
      id: true,
      state: true,
      failure: true,
      stateAt: true,
      locale: true,
      campaign: { select: { channel: true, subjectEn: true, subjectRu: true } },
    },
  })
  const person = await db().user.findUnique({ where: { id: query.userId }, select: { username: true } })
  const named = (subject: string) =>
    piecesOf(subject)
      .map((piece) => (piece.kind === 'name' ? (person?.username ?? PLACES.name) : piece.text))
      .join('')
  return pageOf(
    rows.map(({ campaign, stateAt, locale, ...row }) => ({
      ...row,
      state: row.state as MailState,
      channel: campaign.channel as Channel,
      locale: locale ?? 'en',
      subject: named(locale === 'ru' ? campaign.subjectRu : campaign.subjectEn),
      at: stateAt,
    })),
    PAGE,
  )
}
