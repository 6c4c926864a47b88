import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, newId, type Refusal, type Result, refused } from '@/lib/kit'
import { lockCampaign } from './move-campaign'
import type { SaveCampaignInput } from './schemas'

export type SaveCampaignRefusal = Refusal<'not_found' | 'changed_meanwhile' | 'campaign_under_way'>

/**
 * Writes a draft, or changes the one that is named, at the revision that was shown (`changed_meanwhile`). What is scheduled, under way or over keeps its words and its
 * audience: `campaign_under_way`. Audited. Whether the actor may is the caller's question.
 */
export async function saveCampaign(
  actor: Actor & { id: string },
  input: SaveCampaignInput,
): Promise<Result<{ campaignId: string; revision: number }, SaveCampaignRefusal>> {
  const { campaignId, revision, ...data } = input
  return inTransaction<{ campaignId: string; revision: number }, SaveCampaignRefusal>(async (tx) => {
    const id = campaignId ?? newId('cpn')
    let saved = 1
    if (campaignId) {
      const old = await lockCampaign(tx, id)
      if (!old) return refused('not_found')
      if (old.state !== 'draft') return refused('campaign_under_way')
      if (old.revision !== revision) return refused('changed_meanwhile')
      saved = old.revision + 1
      await tx.campaign.update({
        where: { id },
        data: { ...data, revision: saved, updatedAt: new Date() },
        select: { id: true },
      })
    } else await tx.campaign.create({ data: { id, ...data, createdBy: actor.id }, select: { id: true } })
    await recordAudit(tx, actor, {
      action: campaignId ? 'campaigns.changed' : 'campaigns.created',
      subjectKind: 'campaign',
      subjectId: id,
      data: { name: data.name, topic: data.topic, channel: data.channel },
    })
    return accepted({ campaignId: id, revision: saved })
  })
}
