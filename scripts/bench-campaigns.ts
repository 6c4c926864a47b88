import type { Client } from 'pg'
import { renderCampaign } from '@/emails/render'
import { env } from '@/lib/env'
import { invariant, newId } from '@/lib/kit'
import { personalise, preferencesToken, preferencesUrl, runCampaigns, unsubscribeUrl } from '@/lib/marketing'
import { BATCH_MAX, readSender } from '@/lib/notifications'

const TEXT = {
  subject: 'News for {name}',
  body: 'Hello {name},\n\n**new** [proxies](https://shop.example/catalogue) are here.',
  topic: 'news',
} as const

/** People who said yes to news, each with the consent that it rests on. */
export async function addReaders(client: Client, people: number): Promise<void> {
  await client.query(
    `INSERT INTO users (id, email, username, username_key, password_hash, email_verified_at)
     SELECT id, substr(id, 17) || '@example.test', substr(id, 17), substr(id, 17), 'none', now()
     FROM (SELECT 'usr_' || lpad(to_hex(i), 32, '0') AS id FROM generate_series(1, $1::int) i) u`,
    [people],
  )
  await client.query(
    `INSERT INTO consents (id, user_id, kind, topic, channel, is_granted, version, text, locale, source)
     SELECT 'cns' || substr(id, 4), id, 'marketing', 'news', 'mail', true, '2', 'Send me product news by mail.', 'en', 'settings' FROM users WHERE id LIKE 'usr_0000%'`,
  )
  await client.query(
    `INSERT INTO marketing_choices (user_id, topic, channel, state, consent_id) SELECT user_id, topic, channel, 'on', id FROM consents WHERE topic = 'news'`,
  )
  await client.query('VACUUM ANALYZE')
}

export type CampaignRound = { done: number; seconds: number; peakMiB: number }

/** The command: one run that collects everybody, claims, renders, hands over and writes down. `peakMiB`: how far its memory rose above where it began. */
export async function sendByCommand(client: Client): Promise<CampaignRound> {
  await client.query('TRUNCATE campaigns CASCADE')
  await client.query('VACUUM campaign_recipients')
  await client.query(
    `INSERT INTO campaigns (id, name, topic, state, audience, subject_en, body_en, subject_ru, body_ru, created_by, started_at)
     VALUES ($1, 'Bench', $2, 'sending', '{"hasBalance": false}', $3, $4, $3, $4, 'usr_bench', now())`,
    [newId('cpn'), TEXT.topic, TEXT.subject, TEXT.body],
  )
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 50)
  const begun = performance.now()
  const { sent } = await runCampaigns(renderCampaign, {
    mailsPerSecond: Number.POSITIVE_INFINITY,
    runMs: Number.POSITIVE_INFINITY,
  })
  const seconds = (performance.now() - begun) / 1000
  clearInterval(watch)
  const { rows } = await client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM campaign_recipients WHERE state = 'sent'`,
  )
  invariant(rows[0]!.n === sent, 'everybody who was sent to is written down')
  return { done: sent, seconds, peakMiB: Math.round((peak - before) / 2 ** 20) }
}

/** The limit: a plain loop that posts the same mails in the same batches, without a database, a rate or a look at anything. */
export async function sendByLimit(people: number): Promise<CampaignRound> {
  const { RESEND_API_URL, RESEND_API_KEY } = env()
  const campaignId = newId('cpn')
  const { look } = await readSender()
  const mail = await renderCampaign(TEXT, 'en', look)
  const begun = performance.now()
  for (let from = 1; from <= people; from += BATCH_MAX) {
    const batch = Array.from({ length: Math.min(BATCH_MAX, people - from + 1) }, (_, index) => {
      const hex = (from + index).toString(16).padStart(32, '0')
      const token = preferencesToken(`usr_${hex}`, campaignId)
      const own = personalise(mail, { name: hex.slice(12), preferencesUrl: preferencesUrl(token) })
      return {
        from: 'Sluice <shop@localhost>',
        to: `${hex.slice(12)}@example.test`,
        ...own,
        headers: {
          'List-Unsubscribe': `<${unsubscribeUrl(token)}>`,
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        },
        tags: [{ name: 'sluice_mail', value: `rcp_${hex}` }],
      }
    })
    const answer = await fetch(`${RESEND_API_URL}/emails/batch`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${RESEND_API_KEY}`,
        'content-type': 'application/json',
        'idempotency-key': `${campaignId}-${from}`,
      },
      body: JSON.stringify(batch),
    })
    invariant(answer.ok, 'the stand-in takes every batch')
    await answer.arrayBuffer()
  }
  return { done: people, seconds: (performance.now() - begun) / 1000, peakMiB: 0 }
}
