import { db, Prisma, type Tx } from '@/lib/db'
import { type Clock, HOUR_MS, MINUTE_MS, OperationalError, SECOND_MS, systemClock } from '@/lib/kit'
import { log } from '@/lib/log'
import { unlinkGoneChat } from '@/lib/notices'
import {
  BATCH_MAX,
  chooseTransport,
  isMailAddress,
  listStopped,
  type MailFailure,
  type MailMessage,
  oneLine,
  readSender,
  type SendOutcome,
  suppressAddress,
} from '@/lib/notifications'
import { collectPage } from './audience'
import {
  campaignImageUrl,
  campaignLinkUrl,
  linkToken,
  openToken,
  preferencesToken,
  preferencesUrl,
  unsubscribeUrl,
} from './links'
import { listLinks } from './markup'
import { type BatchTransport, type CampaignMail, type CampaignRenderer, type Measured, personalise } from './message'
import { marketingRules } from './rules'
import type { Audience, Channel, Topic } from './schemas'
import type { RecipientState, SkipReason } from './states'
import { openTelegramTransport, TELEGRAM_PER_SECOND, writeTelegram } from './telegram'

/** A run ends before the clock starts the next, so that runs do not pile up. */
const RUN_MS = 55 * SECOND_MS
/** No transport waits as long as this for an answer: a batch that was begun before is one whose worker is dead. */
const LEASE_MS = 2 * MINUTE_MS
/** Resend remembers a batch's key for a day; a later attempt could send a second copy of it. */
const TRIED_FOR_MS = 20 * HOUR_MS
/** How often somebody's mail may be clearly not taken (asked too fast, sender not proven) before they are given up. */
const ATTEMPTS_MAX = 20
const WAITS_MS = [10 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS] as const
/** The longest that a service's wish to be left alone is followed. */
const RETRY_AFTER_MAX_MS = 6 * HOUR_MS

export type RunOptions = {
  clock?: Clock
  /** In place of the mail service. */
  transport?: BatchTransport
  /** In place of the setting. */
  mailsPerSecond?: number
  runMs?: number
  /** False: the run ends where it would wait for its turn. */
  waits?: boolean
}

type CampaignRow = {
  id: string
  topic: Topic
  channel: Channel
  audience: Audience
  state: string
  subjectEn: string
  bodyEn: string
  subjectRu: string
  bodyRu: string
  cursor: string
  isCollected: boolean
  batch: number
  isBatchOpen: boolean
  batchTriedAt: Date | null
  batchFirstTriedAt: Date | null
  failures: number
  nextBatchAt: Date | null
}
type Reader = {
  id: string
  userId: string
  to: string
  locale: 'en' | 'ru'
  username: string
  attempts: number
  isMeasured: boolean
}
type Batch = { campaign: CampaignRow; number: number; readers: Reader[] }
type Step = { kind: 'batch'; batch: Batch } | { kind: 'again' } | { kind: 'wait'; ms: number } | { kind: 'idle' }

/**
 * Sends what is to be sent of the campaigns, batch by batch, one campaign after the other in the order they were started, until nothing is left or the run is over.
 * May be killed at any point and raced by any number of runs: what was done is learned from rows. A batch is claimed with its people before it is handed over
 * and goes out under one key, so that the mail service takes it once however often it is handed over. Right before, each person's yes, account and
 * address are read anew, and the campaign's own state. Nothing is thrown for what the mail service does.
 */
export async function runCampaigns(render: CampaignRenderer, options: RunOptions = {}): Promise<{ sent: number }> {
  const clock = options.clock ?? systemClock
  const until = performance.now() + (options.runMs ?? RUN_MS)
  await startDue(clock())
  const run = { render, clock, until, options }
  // Neither channel waits for the other's service.
  const counts = await Promise.all([runChannel('mail', run), runChannel('telegram', run)])
  return { sent: counts[0] + counts[1] }
}

async function runChannel(
  channel: Channel,
  { render, clock, until, options }: { render: CampaignRenderer; clock: Clock; until: number; options: RunOptions },
): Promise<number> {
  if (channel === 'telegram' && !(await findNext(channel))) return 0
  const transport = channel === 'mail' ? (options.transport ?? chooseTransport()) : await openBot()
  if (!transport) {
    await noteOff(channel)
    return 0
  }
  const words = new Words(render)
  let sent = 0
  while (performance.now() < until) {
    const perSecond =
      options.mailsPerSecond ??
      (channel === 'mail' ? (await marketingRules.read()).mailsPerSecond : TELEGRAM_PER_SECOND)
    const step = await claimNext(channel, { now: clock(), transport, perSecond })
    if (step.kind === 'idle') break
    if (step.kind === 'again') continue
    if (step.kind === 'wait') {
      if (options.waits === false || performance.now() + step.ms > until) break
      await new Promise((resolve) => setTimeout(resolve, step.ms))
      continue
    }
    const messages = await words.messagesOf(step.batch)
    const outcomes = await transport.sendBatch(`${step.batch.campaign.id}-${step.batch.number}`, messages)
    sent += await settle(step.batch, outcomes, { now: clock(), transport })
  }
  return sent
}

/** The oldest campaign under way of a channel. */
function findNext(channel: Channel) {
  return db().campaign.findFirst({
    where: { state: 'sending', channel },
    orderBy: [{ startedAt: 'asc' }, { id: 'asc' }],
    select: { id: true },
  })
}

/** The bot, or null while it cannot be used: switched off, or with secrets that this environment does not open. */
async function openBot(): Promise<BatchTransport | null> {
  try {
    return await openTelegramTransport()
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    log('marketing').warn({ error }, 'the bot cannot be opened')
    return null
  }
}

/** The operator has the bot off: what is under way waits for it, and says so. */
async function noteOff(channel: Channel): Promise<void> {
  await db().campaign.updateMany({ where: { state: 'sending', channel }, data: { failure: 'not_admitted' } })
}

async function startDue(now: Date): Promise<void> {
  await db().campaign.updateMany({
    where: { state: 'scheduled', startsAt: { lte: now } },
    data: { state: 'sending', startedAt: now, updatedAt: now },
  })
}

type Run = { now: Date; transport: BatchTransport; perSecond: number }

/** Claims the next batch of the oldest campaign under way, or takes the step that stands before it. One transaction, under the campaign's lock. */
async function claimNext(channel: Channel, run: Run): Promise<Step> {
  const first = await findNext(channel)
  if (!first) return { kind: 'idle' }
  return db().$transaction((tx) => claim(tx, first.id, run), { maxWait: 10_000, timeout: 20_000 })
}

async function claim(tx: Tx, id: string, { now, transport, perSecond }: Run): Promise<Step> {
  await tx.$queryRaw(Prisma.sql`SELECT id FROM campaigns WHERE id = ${id} FOR NO KEY UPDATE`)
  const campaign = (await tx.campaign.findUniqueOrThrow({ where: { id } })) as unknown as CampaignRow
  if (campaign.state !== 'sending') return { kind: 'again' }
  const waitMs = (campaign.nextBatchAt?.getTime() ?? 0) - now.getTime()
  if (waitMs > 0) return { kind: 'wait', ms: waitMs }
  if (campaign.isBatchOpen) {
    const leaseMs = (campaign.batchTriedAt?.getTime() ?? 0) + LEASE_MS - now.getTime()
    if (leaseMs > 0) return { kind: 'wait', ms: Math.min(leaseMs, SECOND_MS) }
    const isTooOld = now.getTime() - campaign.batchFirstTriedAt!.getTime() > TRIED_FOR_MS
    // A mail server knows no keys: what was handed over may have arrived, and a second copy would be one too many.
    const isUnknown = campaign.batchTriedAt !== null && !transport.isIdempotent
    if (isTooOld || isUnknown) {
      await tx.campaignRecipient.updateMany({
        where: { campaignId: id, batch: campaign.batch, state: 'sending' },
        data: isUnknown
          ? { state: 'sent', failure: 'outcome_unknown', stateAt: now }
          : { state: 'failed', failure: 'gave_up', stateAt: now },
      })
      await closeBatch(tx, id)
      return { kind: 'again' }
    }
  }

  // One by one where a killed run leaves a batch of which nobody knows what became.
  const size = transport.isIdempotent ? BATCH_MAX : 1
  const candidates = await readCandidates(tx, campaign, size)
  if (candidates.length === 0) {
    if (campaign.isBatchOpen) await closeBatch(tx, id)
    else if (!campaign.isCollected) {
      const cursor = await collectPage(tx, campaign)
      await tx.campaign.update({
        where: { id },
        data: cursor === null ? { isCollected: true } : { cursor },
        select: { id: true },
      })
    } else
      await tx.campaign.update({
        where: { id },
        data: { state: 'sent', endedAt: now, failure: null, updatedAt: now },
        select: { id: true },
      })
    return { kind: 'again' }
  }

  const addressees = await leaveOut(tx, candidates, { now, channel: campaign.channel })
  if (addressees.length === 0) {
    if (campaign.isBatchOpen) await closeBatch(tx, id)
    return { kind: 'again' }
  }
  // A chat has neither images nor links of ours: nothing is measured there.
  const allowing = campaign.channel === 'mail' ? await lockAllowing(tx, addressees) : new Set<string>()
  const readers = addressees.map((reader) => ({
    ...reader,
    // A repeat says what the batch said, so that its key fits; only a no changes it.
    isMeasured: allowing.has(reader.userId) && (reader.isMeasured || !campaign.isBatchOpen),
  }))
  const number = campaign.isBatchOpen ? campaign.batch : campaign.batch + 1
  await tx.$executeRaw(Prisma.sql`
    UPDATE campaign_recipients r SET state = 'sending', state_at = ${now}, failure = NULL, batch = ${number}, "to" = c."to", locale = c.locale, attempts = r.attempts + 1,
      is_measured = c."isMeasured"
    FROM jsonb_to_recordset(${JSON.stringify(readers)}::jsonb) AS c(id text, "to" text, locale text, "isMeasured" boolean) WHERE r.id = c.id`)
  await tx.campaign.update({
    where: { id },
    data: {
      batch: number,
      isBatchOpen: true,
      batchTriedAt: now,
      batchFirstTriedAt: campaign.isBatchOpen ? campaign.batchFirstTriedAt : now,
      nextBatchAt: new Date(now.getTime() + Math.floor((readers.length / perSecond) * SECOND_MS)),
    },
    select: { id: true },
  })
  return { kind: 'batch', batch: { campaign, number, readers } }
}

async function closeBatch(tx: Tx, id: string): Promise<void> {
  await tx.campaign.update({
    where: { id },
    data: { isBatchOpen: false, batchTriedAt: null, batchFirstTriedAt: null },
    select: { id: true },
  })
}

type Candidate = Reader & {
  email: string
  choice: string | null
  isUnlinked: boolean
  isGone: boolean
  isSuspended: boolean
  isUnconfirmed: boolean
}

/** Whose turn it is: the people of the open batch, or the next that wait; those who were tried least come first, so that nobody holds the others up. */
async function readCandidates(tx: Tx, campaign: CampaignRow, size: number): Promise<Candidate[]> {
  const whose = campaign.isBatchOpen
    ? Prisma.sql`r.state = 'sending' AND r.batch = ${campaign.batch}`
    : Prisma.sql`r.state = 'queued'`
  // A yes by Telegram is a yes to the chat that was linked then.
  const isMail = campaign.channel === 'mail'
  const address = isMail ? Prisma.sql`coalesce(r."to", u.email, '')` : Prisma.sql`coalesce(l.address, '')`
  const isUnlinked = isMail ? Prisma.sql`false` : Prisma.sql`(l.user_id IS NULL OR l.linked_at > m.updated_at)`
  const chat = isMail
    ? Prisma.empty
    : Prisma.sql`LEFT JOIN linked_channels l ON l.user_id = r.user_id AND l.channel = 'telegram'`
  return tx.$queryRaw<Candidate[]>(Prisma.sql`
    SELECT r.id, r.user_id AS "userId", ${address} AS "to", coalesce(u.email, '') AS email, ${isUnlinked} AS "isUnlinked", coalesce(r.locale, u.locale, 'en') AS locale, coalesce(u.username, '') AS username,
      r.attempts, r.is_measured AS "isMeasured", m.state AS choice, u.id IS NULL AS "isGone", u.suspended_at IS NOT NULL AS "isSuspended", u.email_verified_at IS NULL AS "isUnconfirmed"
    FROM campaign_recipients r LEFT JOIN users u ON u.id = r.user_id
      LEFT JOIN marketing_choices m ON m.user_id = r.user_id AND m.topic = ${campaign.topic} AND m.channel = ${campaign.channel}
      ${chat}
    WHERE r.campaign_id = ${campaign.id} AND ${whose}
    ORDER BY r.attempts, r.id LIMIT ${size}`)
}

/**
 * Who of these allows the shop to learn what they open and follow. Their choices stay as they are until the batch is claimed: a withdrawal at the same time waits, and then
 * finds the rows that it must erase.
 */
async function lockAllowing(tx: Tx, readers: readonly Reader[]): Promise<Set<string>> {
  const rows = await tx.$queryRaw<{ userId: string }[]>(Prisma.sql`
    SELECT user_id AS "userId" FROM measuring_choices WHERE user_id = ANY(${readers.map(({ userId }) => userId)}) AND is_allowed ORDER BY user_id FOR SHARE`)
  return new Set(rows.map(({ userId }) => userId))
}

/** Notes who gets nothing after all, and why; returns the others. */
async function leaveOut(
  tx: Tx,
  candidates: Candidate[],
  { now, channel }: { now: Date; channel: Channel },
): Promise<Reader[]> {
  const isMail = channel === 'mail'
  const stopped = await listStopped(
    candidates.map(({ to, email }) => (isMail ? to : email)),
    'marketing',
    tx,
  )
  const readers: Reader[] = []
  const out: { id: string; state: RecipientState; failure: string }[] = []
  for (const { choice, email, isGone, isSuspended, isUnconfirmed, isUnlinked, ...reader } of candidates) {
    // A mailbox that is gone says nothing of a chat; whoever complained meant the shop.
    const isStopped = isMail ? stopped.has(reader.to.toLowerCase()) : stopped.get(email.toLowerCase()) === 'complaint'
    const skipped: SkipReason | null =
      isGone || choice !== 'on'
        ? 'withdrawn'
        : isSuspended
          ? 'suspended'
          : isUnconfirmed
            ? 'unconfirmed'
            : isUnlinked
              ? 'unlinked'
              : isStopped
                ? 'stopped'
                : null
    if (skipped) out.push({ id: reader.id, state: 'skipped', failure: skipped })
    else if (isMail && !isMailAddress(reader.to))
      out.push({ id: reader.id, state: 'failed', failure: 'invalid_address' })
    else readers.push({ ...reader, locale: reader.locale === 'ru' ? 'ru' : 'en' })
  }
  if (out.length > 0)
    await tx.$executeRaw(Prisma.sql`
      UPDATE campaign_recipients r SET state = c.state, failure = c.failure, state_at = ${now}
      FROM jsonb_to_recordset(${JSON.stringify(out)}::jsonb) AS c(id text, state text, failure text) WHERE r.id = c.id`)
  return readers
}

/** The words of the campaign under way, rendered once for each language, measured and not: what differs from reader to reader is put in afterwards. */
class Words {
  readonly #render: CampaignRenderer
  #campaignId = ''
  #mails = new Map<string, { mail: CampaignMail; links: number[] }>()

  constructor(render: CampaignRenderer) {
    this.#render = render
  }

  async messagesOf(batch: Batch): Promise<MailMessage[]> {
    return batch.campaign.channel === 'mail' ? this.#mailsOf(batch) : this.#chatsOf(batch)
  }

  async #chatsOf({ campaign, readers }: Batch): Promise<MailMessage[]> {
    const { from } = await this.#sender()
    return readers.map(({ id, to, userId, username, locale }) => {
      const subject = locale === 'ru' ? campaign.subjectRu : campaign.subjectEn
      const body = locale === 'ru' ? campaign.bodyRu : campaign.bodyEn
      const url = preferencesUrl(preferencesToken(userId, campaign.id))
      const words = { subject, body, topic: campaign.topic }
      const html = writeTelegram(words, { name: username, preferencesUrl: url, locale })
      return { id, from, replyTo: null, to, subject, html, text: '' }
    })
  }

  async #mailsOf({ campaign, readers }: Batch): Promise<MailMessage[]> {
    const { from, replyTo, look } = await this.#sender()
    if (this.#campaignId !== campaign.id) this.#mails = new Map()
    this.#campaignId = campaign.id
    const messages: MailMessage[] = []
    for (const reader of readers) {
      const { locale, isMeasured } = reader
      const key = `${locale} ${isMeasured}`
      let words = this.#mails.get(key)
      if (!words) {
        const { topic } = campaign
        const subject = locale === 'ru' ? campaign.subjectRu : campaign.subjectEn
        const body = locale === 'ru' ? campaign.bodyRu : campaign.bodyEn
        const mail = await this.#render({ subject, body, topic }, locale, look, { isMeasured })
        words = { mail, links: isMeasured ? listLinks(body).map(({ number }) => number) : [] }
        this.#mails.set(key, words)
      }
      const token = preferencesToken(reader.userId, campaign.id)
      const own = personalise(words.mail, {
        name: reader.username,
        preferencesUrl: preferencesUrl(token),
        measured: isMeasured ? measuredFor(reader.id, words.links) : undefined,
      })
      messages.push({
        id: reader.id,
        tag: reader.id,
        from,
        replyTo,
        to: reader.to,
        ...own,
        subject: oneLine(own.subject),
        headers: {
          'List-Unsubscribe': `<${unsubscribeUrl(token)}>`,
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        },
      })
    }
    return messages
  }

  #read: ReturnType<typeof readSender> | undefined
  #sender() {
    return (this.#read ??= readSender())
  }
}

/** The addresses of one reader's mail, made of its id and nothing else: a repeat has the same. */
function measuredFor(recipientId: string, links: readonly number[]): Measured {
  return {
    imageUrl: campaignImageUrl(openToken(recipientId)),
    links: links.map((number) => ({ number, url: campaignLinkUrl(linkToken(recipientId, number)) })),
  }
}

/** Writes down what became of a batch, once: a run that was thought dead and came back finds it written. Returns how many were taken. */
async function settle(
  { campaign, number, readers }: Batch,
  outcomes: readonly SendOutcome[],
  { now, transport }: { now: Date; transport: BatchTransport },
): Promise<number> {
  const later = outcomes.find((outcome) => outcome.kind === 'later')
  // Nobody knows whether a service that did not answer has taken the batch: it goes out again as it is, under its key, and is taken once.
  const staysOpen = transport.isIdempotent && later?.failure === 'service_away'
  const failures = later ? campaign.failures + 1 : 0
  if (later) {
    const { failure, detail } = later
    log('marketing').warn({ campaignId: campaign.id, batch: number, failure, detail }, 'a batch waits')
  }
  return db().$transaction(async (tx) => {
    await tx.$queryRaw(Prisma.sql`SELECT id FROM campaigns WHERE id = ${campaign.id} FOR NO KEY UPDATE`)
    const { batch, isBatchOpen } = await tx.campaign.findUniqueOrThrow({
      where: { id: campaign.id },
      select: { batch: true, isBatchOpen: true },
    })
    if (batch !== number || !isBatchOpen) return 0
    const rows = staysOpen
      ? []
      : readers.map((reader, index) => ({ id: reader.id, ...endOf(outcomes[index]!, reader) }))
    if (rows.length > 0)
      // What a webhook told in the meantime is newer than our own answer.
      await tx.$executeRaw(Prisma.sql`
        UPDATE campaign_recipients r SET provider_message_id = coalesce(o."messageId", r.provider_message_id), state = CASE r.state WHEN 'sending' THEN o.state ELSE r.state END,
          failure = CASE r.state WHEN 'sending' THEN o.failure ELSE r.failure END, state_at = CASE r.state WHEN 'sending' THEN ${now} ELSE r.state_at END
        FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS o(id text, state text, failure text, "messageId" text) WHERE r.id = o.id`)
    for (const [index, row] of rows.entries())
      if (row.state === 'bounced' && campaign.channel === 'telegram')
        await unlinkGoneChat(tx, { userId: readers[index]!.userId, address: readers[index]!.to })
      else if (row.state === 'bounced')
        await suppressAddress(tx, { address: readers[index]!.to, reason: 'hard_bounce', emailId: row.id, at: now })
    if (!staysOpen) await closeBatch(tx, campaign.id)
    await tx.campaign.update({
      where: { id: campaign.id },
      data: {
        failures,
        failure: later?.failure ?? null,
        ...(staysOpen ? { batchTriedAt: null } : {}),
        ...(later ? { nextBatchAt: new Date(now.getTime() + waitOf(later, failures)) } : {}),
      },
      select: { id: true },
    })
    return rows.filter(({ state }) => state === 'sent').length
  })
}

function endOf(
  outcome: SendOutcome,
  { attempts }: Reader,
): { state: RecipientState; failure: MailFailure | null; messageId: string | null } {
  if (outcome.kind === 'taken') return { state: 'sent', failure: null, messageId: outcome.messageId }
  if (outcome.kind === 'unknown') return { state: 'sent', failure: 'outcome_unknown', messageId: null }
  const { failure } = outcome
  if (outcome.kind === 'refused')
    return { state: failure === 'no_such_mailbox' ? 'bounced' : 'failed', failure, messageId: null }
  return attempts + 1 >= ATTEMPTS_MAX
    ? { state: 'failed', failure: 'gave_up', messageId: null }
    : { state: 'queued', failure, messageId: null }
}

function waitOf(later: Extract<SendOutcome, { kind: 'later' }>, failures: number): number {
  const wished = Math.min(later.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS)
  // A service that says how long it wants to be left alone is taken at its word.
  if (later.failure === 'rate_limited' && later.retryAfterMs !== null) return Math.max(wished, SECOND_MS)
  return Math.max(wished, WAITS_MS[Math.min(failures, WAITS_MS.length) - 1]!)
}
