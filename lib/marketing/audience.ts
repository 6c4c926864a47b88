import { db, Prisma, type Tx } from '@/lib/db'
import { newId } from '@/lib/kit'
import { YES_OF_THIS_CHAT } from './linked-chat'
import type { Audience, Channel, Topic } from './schemas'

/** How many people one page takes into a campaign. */
export const COLLECTED_AT_ONCE = 1000

export type Whom = { topic: Topic; channel: Channel; audience: Audience }

/**
 * Everybody a campaign may go to, as a FROM … WHERE over `m` (the choice) and `u` (the person): a yes to the topic comes first and the rest only narrows. Nobody
 * who is suspended, unconfirmed or whose address is stopped; the last is asked again by `listStopped` before each batch.
 */
function people({ topic, channel, audience }: Whom): Prisma.Sql {
  const { productId, countryCode, lastOrderFrom, lastOrderBefore, locale, hasBalance } = audience
  const conditions = [
    Prisma.sql`m.topic = ${topic} AND m.channel = ${channel} AND m.state = 'on'`,
    Prisma.sql`u.suspended_at IS NULL AND u.email_verified_at IS NOT NULL`,
    // A mailbox that is gone says nothing of a chat; whoever complained meant the shop.
    channel === 'mail'
      ? Prisma.sql`NOT EXISTS (SELECT 1 FROM suppressed_addresses s WHERE s.address = lower(u.email) AND (s.reason = 'complaint' OR s.lifted_at IS NULL))`
      : Prisma.sql`NOT EXISTS (SELECT 1 FROM suppressed_addresses s WHERE s.address = lower(u.email) AND s.reason = 'complaint')
        AND EXISTS (SELECT 1 FROM linked_channels l WHERE l.user_id = u.id AND l.channel = 'telegram' AND ${YES_OF_THIS_CHAT})`,
  ]
  if (locale) conditions.push(Prisma.sql`u.locale = ${locale}`)
  if (productId || countryCode)
    conditions.push(Prisma.sql`EXISTS (SELECT 1 FROM orders o JOIN plans p ON p.id = o.plan_id WHERE o.user_id = u.id AND o.delivered_at IS NOT NULL
      ${productId ? Prisma.sql`AND p.product_id = ${productId}` : Prisma.empty} ${countryCode ? Prisma.sql`AND o.country_code = ${countryCode}` : Prisma.empty})`)
  const lastOrder = Prisma.sql`(SELECT max(o.placed_at) FROM orders o WHERE o.user_id = u.id AND o.delivered_at IS NOT NULL)`
  if (lastOrderFrom) conditions.push(Prisma.sql`${lastOrder} >= ${new Date(lastOrderFrom)}`)
  if (lastOrderBefore) conditions.push(Prisma.sql`${lastOrder} < ${new Date(lastOrderBefore)}`)
  if (hasBalance)
    conditions.push(
      Prisma.sql`EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.owner = u.id AND a.kind = 'customer_balance' AND a.balance_micros > 0)`,
    )
  return Prisma.sql`FROM marketing_choices m JOIN users u ON u.id = m.user_id WHERE ${Prisma.join(conditions, ' AND ')}`
}

/** An address that its owner recognises and nobody else can write to: the first letter, the host's first letter and its ending. */
export function maskAddress(email: string): string {
  const [name = '', host = ''] = email.split('@')
  const ending = host.slice(host.lastIndexOf('.'))
  return `${name.slice(0, 1)}•••@${host.slice(0, 1)}•••${host.includes('.') ? ending : ''}`
}

export type AudienceCount = { count: number; sample: { address: string; locale: string }[] }

/** How many a campaign would go to now, and a few of them, masked. */
export async function countAudience(
  topic: Topic,
  audience: Audience,
  channel: Channel = 'mail',
): Promise<AudienceCount> {
  const whom = { topic, channel, audience }
  const [[row], sample] = await Promise.all([
    db().$queryRaw<{ count: bigint }[]>(Prisma.sql`SELECT count(*) AS count ${people(whom)}`),
    db().$queryRaw<{ email: string; locale: string }[]>(
      Prisma.sql`SELECT u.email, u.locale ${people(whom)} ORDER BY m.user_id DESC LIMIT 5`,
    ),
  ])
  return {
    count: Number(row!.count),
    sample: sample.map(({ email, locale }) => ({ address: maskAddress(email), locale })),
  }
}

/**
 * Takes the next page of the audience into the campaign, in the caller's transaction, which holds the campaign's row. Nobody is taken twice. Returns where to go on;
 * null at the end.
 */
export async function collectPage(tx: Tx, campaign: Whom & { id: string; cursor: string }): Promise<string | null> {
  const page = await tx.$queryRaw<{ userId: string }[]>(
    Prisma.sql`SELECT m.user_id AS "userId" ${people(campaign)} AND m.user_id > ${campaign.cursor} ORDER BY m.user_id LIMIT ${COLLECTED_AT_ONCE}`,
  )
  if (page.length > 0)
    await tx.$executeRaw(Prisma.sql`
      INSERT INTO campaign_recipients (id, campaign_id, user_id)
      SELECT id, ${campaign.id}, user_id FROM jsonb_to_recordset(${JSON.stringify(
        page.map(({ userId }) => ({ id: newId('rcp'), user_id: userId })),
      )}::jsonb) AS r(id text, user_id text)
      ON CONFLICT (campaign_id, user_id) DO NOTHING`)
  return page.length < COLLECTED_AT_ONCE ? null : page.at(-1)!.userId
}
