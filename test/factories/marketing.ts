import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import {
  type Audience,
  type Channel,
  chooseMeasuring,
  chooseTopics,
  saveCampaign,
  startCampaign,
  type Topic,
} from '@/lib/marketing'
import { type Customer, insertCustomer } from './customer'

export const MARKETER = { kind: 'staff', id: 'usr_staff' } as const

/** A draft with words in both languages. */
export async function makeCampaign(
  input: {
    topic?: Topic
    channel?: Channel
    audience?: Partial<Audience>
    bodyEn?: string
    bodyRu?: string
    subjectEn?: string
  } = {},
): Promise<{ id: string; revision: number }> {
  const saved = await saveCampaign(MARKETER, {
    campaignId: undefined,
    revision: undefined,
    name: `Campaign ${newId('req').slice(-6)}`,
    topic: input.topic ?? 'news',
    channel: input.channel ?? 'mail',
    audience: {
      productId: undefined,
      countryCode: undefined,
      lastOrderFrom: undefined,
      lastOrderBefore: undefined,
      locale: undefined,
      hasBalance: false,
      ...input.audience,
    },
    subjectEn: input.subjectEn ?? 'News for {name}',
    bodyEn: input.bodyEn ?? 'Hello {name},\n\n**new** [proxies](https://shop.test/catalogue) are here.',
    subjectRu: 'Новости для {name}',
    bodyRu: input.bodyRu ?? 'Здравствуйте, {name}!\n\nПоявились **новые** прокси.',
  })
  if (!saved.ok) throw new Error(saved.refusal.code)
  return { id: saved.value.campaignId, revision: saved.value.revision }
}

/** A campaign that is under way. */
export async function startedCampaign(input: Parameters<typeof makeCampaign>[0] = {}): Promise<string> {
  const { id, revision } = await makeCampaign(input)
  const started = await startCampaign(MARKETER, { campaignId: id, revision })
  if (!started.ok) throw new Error(started.refusal.code)
  return id
}

/** Somebody who said yes, through the command. */
export async function insertReader(
  input: { topics?: Topic[]; locale?: string; balanceMicros?: bigint } = {},
): Promise<Customer> {
  const person = await insertCustomer(input)
  const chosen = await chooseTopics(person.id, { topics: input.topics ?? ['news'], source: 'settings', locale: 'en' })
  if (!chosen.ok) throw new Error(chosen.refusal.code)
  return person
}

/** What they say about being measured, through the command. */
export async function sayMeasuring(userId: string, isAllowed: boolean): Promise<void> {
  const said = await chooseMeasuring(userId, { isAllowed, source: 'settings', locale: 'en' })
  if (!said.ok) throw new Error(said.refusal.code)
}

/** Many people who said yes to news, by direct insert: what they said is not what is tested where there are many. */
export async function insertReaders(count: number): Promise<{ id: string; email: string }[]> {
  const people = Array.from({ length: count }, () => {
    const id = newId('usr')
    return { id, email: `r${id.slice(-20)}@example.test`, username: `r${id.slice(-20)}` }
  })
  await db().user.createMany({
    data: people.map((person) => ({
      ...person,
      usernameKey: person.username,
      passwordHash: 'none',
      role: 'customer',
      emailVerifiedAt: new Date(),
    })),
  })
  await db().marketingChoice.createMany({
    data: people.map(({ id }) => ({
      userId: id,
      topic: 'news',
      channel: 'mail',
      state: 'on',
      consentId: `cns_of_${id}`,
    })),
  })
  return people
}
