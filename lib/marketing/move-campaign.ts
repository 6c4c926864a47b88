import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, canMove, type Clock, newId, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { findTelegramBot, openTelegramSender } from '@/lib/notices'
import { queueEmail } from '@/lib/notifications'
import { runCampaignsJob } from './jobs'
import { preferencesToken, preferencesUrl } from './links'
import type { Channel, Topic } from './schemas'
import { CAMPAIGN_MOVES, type CampaignState } from './states'
import { writeTelegram } from './telegram'

type Staff = Actor & { id: string }
type TestRefusal = Refusal<'not_found' | 'channel_off' | 'chat_not_linked' | 'telegram_unavailable'>
type MoveRefusal = Refusal<'not_found' | 'campaign_cannot'>

/** The campaign's row, locked: whoever writes it, starts it, stops it or sends from it waits for the others. */
export async function lockCampaign(tx: Tx, id: string): Promise<{ state: CampaignState; revision: number } | null> {
  const [row] = await tx.$queryRaw<{ state: CampaignState; revision: number }[]>(
    Prisma.sql`SELECT state, revision FROM campaigns WHERE id = ${id} FOR NO KEY UPDATE`,
  )
  return row ?? null
}

async function move(
  tx: Tx,
  actor: Staff,
  campaignId: string,
  step: { from: CampaignState; to: CampaignState; action: string; data: Prisma.CampaignUpdateInput },
): Promise<Result<null, MoveRefusal>> {
  if (!canMove(CAMPAIGN_MOVES, step.from, step.to)) return refused('campaign_cannot')
  await tx.campaign.update({
    where: { id: campaignId },
    data: { ...step.data, state: step.to, updatedAt: new Date() },
    select: { id: true },
  })
  await recordAudit(tx, actor, { action: step.action, subjectKind: 'campaign', subjectId: campaignId })
  return accepted(null)
}

/** Whether the way a campaign goes is closed now: Telegram's, while the operator has the bot off. Asked before it starts; what is under way waits for the bot by itself. */
async function isClosed(campaignId: string): Promise<boolean> {
  const campaign = await db().campaign.findUnique({ where: { id: campaignId }, select: { channel: true } })
  return campaign?.channel === 'telegram' && (await findTelegramBot()) === null
}

/**
 * Sends a draft now, as it was when whoever presses saw it (`changed_meanwhile`). The worker begins within a second. Refuses `not_found` and `campaign_cannot` for
 * what is no draft any more: of two presses one sends; `channel_off` by Telegram while the bot is off.
 */
export async function startCampaign(
  actor: Staff,
  input: { campaignId: string; revision: number },
  clock: Clock = systemClock,
): Promise<Result<null, MoveRefusal | Refusal<'changed_meanwhile' | 'channel_off'>>> {
  const isChannelOff = await isClosed(input.campaignId)
  return inTransaction<null, MoveRefusal | Refusal<'changed_meanwhile' | 'channel_off'>>(async (tx) => {
    const campaign = await lockCampaign(tx, input.campaignId)
    if (!campaign) return refused('not_found')
    if (campaign.state !== 'draft') return refused('campaign_cannot')
    if (campaign.revision !== input.revision) return refused('changed_meanwhile')
    if (isChannelOff) return refused('channel_off')
    await enqueue(tx, runCampaignsJob, {})
    return move(tx, actor, input.campaignId, {
      from: 'draft',
      to: 'sending',
      action: 'campaigns.started',
      data: { startedAt: clock() },
    })
  })
}

/** Plans a draft for a moment to come; the worker begins within a minute of it. Refuses as `startCampaign`, and `moment_passed`. */
export async function scheduleCampaign(
  actor: Staff,
  input: { campaignId: string; revision: number; at: Date },
  clock: Clock = systemClock,
): Promise<Result<null, MoveRefusal | Refusal<'changed_meanwhile' | 'moment_passed' | 'channel_off'>>> {
  const isChannelOff = await isClosed(input.campaignId)
  return inTransaction<null, MoveRefusal | Refusal<'changed_meanwhile' | 'moment_passed' | 'channel_off'>>(
    async (tx) => {
      const campaign = await lockCampaign(tx, input.campaignId)
      if (!campaign) return refused('not_found')
      if (campaign.state !== 'draft') return refused('campaign_cannot')
      if (campaign.revision !== input.revision) return refused('changed_meanwhile')
      if (input.at <= clock()) return refused('moment_passed')
      if (isChannelOff) return refused('channel_off')
      return move(tx, actor, input.campaignId, {
        from: campaign.state,
        to: 'scheduled',
        action: 'campaigns.scheduled',
        data: { startsAt: input.at },
      })
    },
  )
}

/**
 * Pauses, goes on with, cancels or takes back the planning of a campaign. A batch that is with the mail service already ends; no other begins. Refuses `not_found`
 * and `campaign_cannot`.
 */
export async function moveCampaign(
  actor: Staff,
  input: { campaignId: string; to: 'pause' | 'resume' | 'cancel' | 'unschedule' },
  clock: Clock = systemClock,
): Promise<Result<null, MoveRefusal>> {
  return inTransaction<null, MoveRefusal>(async (tx) => {
    const campaign = await lockCampaign(tx, input.campaignId)
    if (!campaign) return refused('not_found')
    const from = campaign.state
    // To send what was only planned is another button.
    if (input.to === 'resume' && from !== 'paused') return refused('campaign_cannot')
    if (input.to === 'resume') await enqueue(tx, runCampaignsJob, {})
    const step = {
      pause: { to: 'paused', action: 'campaigns.paused', data: {} },
      resume: { to: 'sending', action: 'campaigns.resumed', data: {} },
      cancel: { to: 'cancelled', action: 'campaigns.cancelled', data: { endedAt: clock() } },
      unschedule: { to: 'draft', action: 'campaigns.unscheduled', data: { startsAt: null } },
    } as const
    return move(tx, actor, input.campaignId, { from, ...step[input.to] })
  })
}

/**
 * Sends a campaign to whoever asks, in each language: by mail through the way all mails go, by Telegram into their own chat. It counts as nobody's and needs no consent. Refuses
 * `not_found`; by Telegram `channel_off`, `chat_not_linked`, and `telegram_unavailable` when it did not take it.
 */
export async function sendCampaignTest(
  actor: Staff,
  input: { campaignId: string; person: { id: string; email: string; username: string } },
): Promise<Result<{ channel: Channel }, TestRefusal>> {
  const { campaignId, person } = input
  const found = await db().campaign.findUnique({ where: { id: campaignId } })
  if (found?.channel === 'telegram') return sendTelegramTest(actor, { campaign: found, person })
  return inTransaction<{ channel: Channel }, Refusal<'not_found'>>(async (tx) => {
    const campaign = await tx.campaign.findUnique({ where: { id: campaignId } })
    if (!campaign) return refused('not_found')
    const key = `campaign_test:${newId('req')}`
    for (const [locale, subject, body] of [
      ['en', campaign.subjectEn, campaign.bodyEn],
      ['ru', campaign.subjectRu, campaign.bodyRu],
    ] as const)
      await queueEmail(tx, {
        key: `${key}:${locale}`,
        userId: person.id,
        to: person.email,
        locale,
        template: 'campaign_test',
        props: {
          username: person.username,
          subject,
          body,
          topic: campaign.topic,
          preferencesUrl: preferencesUrl(preferencesToken(person.id)),
        },
      })
    await recordAudit(tx, actor, { action: 'campaigns.tested', subjectKind: 'campaign', subjectId: campaignId })
    return accepted({ channel: 'mail' })
  })
}

type Words = { id: string; topic: string; subjectEn: string; bodyEn: string; subjectRu: string; bodyRu: string }

async function sendTelegramTest(
  actor: Staff,
  { campaign, person }: { campaign: Words; person: { id: string; username: string } },
): Promise<Result<{ channel: Channel }, TestRefusal>> {
  const send = await openTelegramSender()
  if (!send) return refused('channel_off')
  const linked = await db().linkedChannel.findUnique({
    where: { userId_channel: { userId: person.id, channel: 'telegram' } },
    select: { address: true },
  })
  if (!linked) return refused('chat_not_linked')
  const url = preferencesUrl(preferencesToken(person.id))
  for (const [locale, subject, body] of [
    ['en', campaign.subjectEn, campaign.bodyEn],
    ['ru', campaign.subjectRu, campaign.bodyRu],
  ] as const) {
    const words = { subject, body, topic: campaign.topic as Topic }
    const html = writeTelegram(words, { name: person.username, preferencesUrl: url, locale })
    if ((await send(linked.address, html)).outcome !== 'sent') return refused('telegram_unavailable')
  }
  return inTransaction<{ channel: Channel }, TestRefusal>(async (tx) => {
    await recordAudit(tx, actor, { action: 'campaigns.tested', subjectKind: 'campaign', subjectId: campaign.id })
    return accepted({ channel: 'telegram' })
  })
}
