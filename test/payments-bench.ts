import { createServer } from 'node:http'
import type { Fake } from '@/fakes/kit'
import { db, Prisma } from '@/lib/db'
import { newId } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import {
  type Provider,
  receiveWebhook,
  type Settled,
  settlePayment,
  type SettlePayload,
  startTopUp,
} from '@/lib/payments'
import { type Customer, insertCustomer } from './factories/customer'
import { PAYMENT_STANDS } from './payment-stands'

/** The stand-ins of all providers, a door that takes their callbacks over HTTP as the web server does, and a worker that runs on demand. */
export type PaymentsBench = {
  fakes: Record<string, Fake>
  providers: Provider[]
  control: (provider: string, path: string, body?: unknown) => Promise<{ answers?: number[] } & Record<string, unknown>>
  topUp: (provider: string, amountMicros?: bigint, user?: Customer) => Promise<OpenPayment>
  /** Runs every promised settle job once, all at once; returns what came of them. */
  work: () => Promise<Settled[]>
  balanceOf: (userId: string) => Promise<bigint>
  close: () => Promise<void>
}
export type OpenPayment = { user: Customer; id: string; providerPaymentId: string; checkoutUrl: string }

const STATUS = { unknown_provider: 404, bad_signature: 401, malformed: 400 } as const

export async function startPaymentsBench(): Promise<PaymentsBench> {
  const providers: Provider[] = []
  const door = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const provider = incoming.url!.split('/').at(-1)!
      receiveWebhook(provider, new Headers(incoming.headers as Record<string, string>), Buffer.concat(chunks), {
        providers,
      }).then(
        (result) => outgoing.writeHead(result.ok ? 202 : STATUS[result.refusal.code]).end(),
        () => outgoing.writeHead(500).end(),
      )
    })
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  const doorUrl = `http://127.0.0.1:${(door.address() as { port: number }).port}/api/webhooks`

  const fakes: Record<string, Fake> = {}
  for (const stand of PAYMENT_STANDS) {
    const { fake, provider } = await stand.start(`${doorUrl}/${stand.name}`)
    fakes[stand.name] = fake
    // The shop tells its public address; here the callbacks must reach this test's own door.
    const createCheckout: Provider['createCheckout'] = (request) =>
      provider.createCheckout({ ...request, webhookUrl: `${doorUrl}/${stand.name}` })
    providers.push({ ...provider, createCheckout })
  }

  async function control(provider: string, path: string, body: unknown = {}) {
    const answer = await fetch(`${fakes[provider]!.controlUrl}/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    if (answer.status !== 200) throw new Error(`control ${path} answered ${answer.status}`)
    return (await answer.json()) as { answers?: number[] } & Record<string, unknown>
  }

  async function topUp(provider: string, amountMicros = 20_000_000n, user?: Customer): Promise<OpenPayment> {
    const owner = user ?? (await insertCustomer())
    const started = await startTopUp(
      { id: owner.id, locale: 'en' },
      { provider, amountMicros, requestKey: newId('req') },
      { providers },
    )
    if (!started.ok) throw new Error(started.refusal.code)
    const row = await db().payment.findUniqueOrThrow({ where: { id: started.value.paymentId } })
    return { user: owner, id: row.id, providerPaymentId: row.providerPaymentId!, checkoutUrl: row.checkoutUrl! }
  }

  async function work(): Promise<Settled[]> {
    const jobs = await db().$queryRaw<{ payload: SettlePayload }[]>(
      Prisma.sql`DELETE FROM outbox_jobs WHERE name = 'payments.settle' RETURNING payload`,
    )
    return Promise.all(
      jobs.map(({ payload }) =>
        settlePayment(payload, { provider: providers.find((each) => each.name === payload.provider) }),
      ),
    )
  }

  return {
    fakes,
    providers,
    control,
    topUp,
    work,
    balanceOf: async (userId) => (await getBalance({ userId })).balanceMicros,
    async close() {
      await Promise.all(Object.values(fakes).map((fake) => fake.close()))
      await new Promise<void>((resolve) => {
        door.close(() => resolve())
        door.closeAllConnections()
      })
    },
  }
}
