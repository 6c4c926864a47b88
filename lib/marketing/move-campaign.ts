import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, canMove, type Clock, newId, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { queueEmail } from '@/lib/notifications'
import { runCampaignsJob } from './jobs'
import { preferencesToken, preferencesUrl } from './links'
import { CAMPAIGN_MOVES, type CampaignState } from './states'

type Staff = Actor & { id: string }
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

/**
 * Sends a draft now, as it was when whoever presses saw it (`changed_meanwhile`). The worker begins within a second. Refuses `not_found` and `campaign_cannot` for
 * what is no draft any more: of two presses one sends.
 */
export async function startCampaign(
  actor: Staff,
  input: { campaignId: string; revision: number },
  clock: Clock = systemClock,
): Promise<Result<null, MoveRefusal | Refusal<'changed_meanwhile'>>> {
  return inTransaction<null, MoveRefusal | Refusal<'changed_meanwhile'>>(async (tx) => {
    const campaign = await lockCampaign(tx, input.campaignId)
    if (!campaign) return refused('not_found')
    if (campaign.state !== 'draft') return refused('campaign_cannot')
    if (campaign.revision !== input.revision) return refused('changed_meanwhile')
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
  input: { campaignId: string; at: Date },
  clock: Clock = systemClock,
): Promise<Result<null, MoveRefusal | Refusal<'moment_passed'>>> {
  return inTransaction<null, MoveRefusal | Refusal<'moment_passed'>>(async (tx) => {
    const campaign = await lockCampaign(tx, input.campaignId)
    if (!campaign) return refused('not_found')
    if (input.at <= clock()) return refused('moment_passed')
    return move(tx, actor, input.campaignId, {
      from: campaign.state,
      to: 'scheduled',
      action: 'campaigns.scheduled',
      data: { startsAt: input.at },
    })
  })
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

/** Mails a campaign to whoever asks, in each language, through the way all mails go. It counts as nobody's and needs no consent. Refuses `not_found`. */
export async function sendCampaignTest(
  actor: Staff,
  input: { campaignId: string; person: { id: string; email: string; username: string } },
): Promise<Result<null, Refusal<'not_found'>>> {
  const { campaignId, person } = input
  return inTransaction<null, Refusal<'not_found'>>(async (tx) => {
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
    return accepted(null)
  })
}
