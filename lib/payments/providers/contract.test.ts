import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Fake } from '@/fakes/kit'
import { type ShopDouble, startShopDouble } from '@/fakes/shop-double'
import { newId, OperationalError } from '@/lib/kit'
import { PAYMENT_STANDS } from '@/test/payment-stands'
import type { Checkout, PaymentRef, Provider, Truth } from './provider'

/** What every provider must do, whatever its protocol. A new adapter adds one row to `PAYMENT_STANDS` and is done when this is green. */
const STRANGER: PaymentRef = { providerPaymentId: 'INV-AAAA1111', paymentId: null }
type Bench = { fake: Fake; provider: Provider; setState: (id: string, wish: Record<string, unknown>) => Promise<void> }

describe.each(PAYMENT_STANDS)(
  '$name',
  ({ name, start, words, knowsAccounts, opened, isPriceFixed, testFlag, signature, path }) => {
    let bench: Bench
    let shop: ShopDouble

    beforeAll(async () => {
      shop = await startShopDouble()
      const { fake, provider } = await start(shop.url)
      bench = { fake, provider, setState: async (id, wish) => void (await control(`invoices/${id}`, wish)) }
    })
    afterAll(async () => {
      await bench.fake.close()
      await shop.close()
    })
    beforeEach(async () => {
      shop.heard.length = 0
      await control('reset', {})
    })

    async function control(path: string, body: unknown): Promise<Record<string, unknown>> {
      const answer = await fetch(`${bench.fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(body) })
      expect(answer.status).toBe(200)
      return (await answer.json()) as Record<string, unknown>
    }

    async function checkout(
      amountMicros = 20_000_000n,
      paymentId = newId('pay'),
    ): Promise<Checkout & { paymentId: string }> {
      const made = await bench.provider.createCheckout({
        paymentId,
        amountMicros,
        currency: 'USD',
        returnUrl: 'http://shop.test/back',
        webhookUrl: shop.url,
        locale: 'en',
        expiresAt: new Date(Date.now() + 7_200_000),
      })
      if (opened) await bench.setState(made.providerPaymentId, { state: opened })
      return { ...made, paymentId }
    }

    const refOf = ({ providerPaymentId, paymentId }: PaymentRef): PaymentRef => ({ providerPaymentId, paymentId })

    async function heard(): Promise<{ headers: Headers; body: Buffer; now: Date }> {
      const { headers, body } = shop.heard.at(-1)!
      return { headers: new Headers(headers), body, now: new Date() }
    }

    test('makes a page that answers and ends when we asked', async () => {
      const made = await checkout()
      expect((await fetch(made.checkoutUrl)).status).toBe(200)
      expect(Math.abs(made.expiresAt.getTime() - Date.now() - 7_200_000)).toBeLessThan(61_000)
    })

    test('tells the truth of a new, a part-paid, a paid, an overpaid and an expired payment', async () => {
      const made = await checkout(19_990_000n)
      const truth = async (): Promise<Truth> => {
        const [{ refunds, disputes, payerReference, ...said }] = (await bench.provider.fetchPayments([
          refOf(made),
        ])) as [Truth]
        // Nothing went back: some vendors say so, others say nothing of it.
        expect([...(refunds ?? []), ...(disputes ?? [])]).toEqual([])
        // By whom it came is told by some only.
        if (payerReference !== undefined) expect(payerReference).not.toBe('')
        return said
      }
      const base = {
        providerPaymentId: made.providerPaymentId,
        paymentId: made.paymentId,
        requestedMicros: 19_990_000n,
        currency: 'USD',
        isTest: testFlag !== null,
      }
      // Where payments have ids of their own, the first with money names its page as well.
      const pageOf = async (ask: typeof truth): Promise<Partial<Truth>> => {
        const { providerPaymentId, checkoutId } = await ask()
        if (!checkoutId) return {}
        expect(checkoutId).toBe(made.providerPaymentId)
        return { providerPaymentId, checkoutId }
      }
      expect(await truth()).toEqual({ ...base, state: 'awaiting', receivedMicros: 0n })
      if (words.underpaid !== null) {
        await bench.setState(made.providerPaymentId, { state: words.underpaid, paid: '8.20' })
        expect(await truth()).toEqual({ ...base, state: 'underpaid', receivedMicros: 8_200_000n })
      }
      await bench.setState(made.providerPaymentId, { state: words.paid, paid: '19.99' })
      expect(await truth()).toEqual({ ...base, ...(await pageOf(truth)), state: 'paid', receivedMicros: 19_990_000n })
      await bench.setState(made.providerPaymentId, { paid: '1000.01', ...(testFlag && { [testFlag]: false }) })
      expect(await truth()).toEqual({
        ...base,
        ...(await pageOf(truth)),
        state: 'paid',
        receivedMicros: 1_000_010_000n,
        ...(isPriceFixed && { requestedMicros: 1_000_010_000n }),
        isTest: false,
      })
      await bench.setState(made.providerPaymentId, { state: words.expired, paid: '0' })
      expect(await truth()).toMatchObject({ state: 'expired', receivedMicros: 0n })
    })

    test('asks about many with one call per hundred, and leaves unknown ones out', async () => {
      const one = await checkout()
      const two = await checkout()
      const unknown = Array.from({ length: 120 }, (_, index) => ({
        ...STRANGER,
        providerPaymentId: `INV-ZZZZ${index + 1000}`,
      }))
      const truths = await bench.provider.fetchPayments([refOf(one), ...unknown, refOf(two)])
      expect(truths.map((each) => each.paymentId).sort()).toEqual([one.paymentId, two.paymentId].sort())
      expect(await bench.provider.fetchPayments([])).toEqual([])
    })

    test('a genuine callback names the payment, the same for every repeat', async () => {
      const made = await checkout()
      await control(`invoices/${made.providerPaymentId}/pay`, { webhooks: 1 })
      const first = await bench.provider.verifyWebhook(await heard())
      expect(first).toMatchObject({ ok: true, value: { paymentId: made.paymentId } })
      const asked = { providerPaymentId: (first.ok && first.value.providerPaymentId) || '', paymentId: null }
      const [truth] = await bench.provider.fetchPayments([asked])
      expect(truth).toMatchObject({ state: 'paid', paymentId: made.paymentId })
      expect([truth!.providerPaymentId, truth!.checkoutId]).toContain(made.providerPaymentId)
      await control(`invoices/${made.providerPaymentId}/webhook`, { times: 1 })
      const second = await bench.provider.verifyWebhook(await heard())
      expect(second).toEqual(first)
    })

    test('a forged, an old and an altered callback are refused, where callbacks are signed', async () => {
      if (signature === 'none') return
      const made = await checkout()
      for (const odd of signature === 'ages' ? [{ forged: true }, { expired: true }] : [{ forged: true }]) {
        await control(`invoices/${made.providerPaymentId}/webhook`, { times: 1, ...odd })
        expect(await bench.provider.verifyWebhook(await heard())).toMatchObject({ refusal: { code: 'bad_signature' } })
      }
      await control(`invoices/${made.providerPaymentId}/webhook`, { times: 1 })
      const genuine = await heard()
      const other = await checkout()
      const swapped = genuine.body
        .toString()
        .replaceAll(made.providerPaymentId.slice(4), other.providerPaymentId.slice(4))
      const verdict = await bench.provider.verifyWebhook({ ...genuine, body: Buffer.from(swapped) })
      expect(verdict).toMatchObject({ refusal: { code: 'bad_signature' } })
      if (signature !== 'ages') return
      const later = new Date(genuine.now.getTime() + 7 * 60_000)
      expect(await bench.provider.verifyWebhook({ ...genuine, now: later })).toMatchObject({ ok: false })
      const earlier = new Date(genuine.now.getTime() - 7 * 60_000)
      expect(await bench.provider.verifyWebhook({ ...genuine, now: earlier })).toMatchObject({ ok: false })
    })

    test.each([
      ['nothing', '', 'application/json'],
      ['not JSON', '{', 'application/json'],
      ['null', 'null', 'application/json'],
      ['a list', '[]', 'application/json'],
      ['another type', '<a/>', 'text/xml'],
      ['an empty form', 'a=b', 'application/x-www-form-urlencoded'],
      ['bytes', '\u0000\uffff', 'application/json'],
      ['deep nesting', '['.repeat(30_000), 'application/json'],
      ['too much', `{"token":"${'x'.repeat(70_000)}"}`, 'application/json'],
    ])('a body of %s is refused and nothing is thrown', async (_, body, type) => {
      const headers = new Headers({
        'content-type': type,
        'webhook-id': 'm',
        'webhook-timestamp': '1',
        'webhook-signature': 'v1,',
      })
      const verdict = await bench.provider.verifyWebhook({ headers, body: Buffer.from(body), now: new Date() })
      expect(verdict.ok).toBe(false)
    })

    test.each([
      ['an outage', { status: 503 }],
      ['a page instead of JSON', { status: 200 }],
      ['a redirect', { status: 302 }],
    ])('%s is an OperationalError without the vendor’s words or our key', async (_, failure) => {
      await control('fail', { times: 2, match: path, ...failure })
      for (const call of [() => checkout(), () => bench.provider.fetchPayments([STRANGER])]) {
        const error = await call().then(
          () => null,
          (caught: unknown) => caught,
        )
        expect(error).toBeInstanceOf(OperationalError)
        expect(String(error)).not.toMatch(/made to fail|secret_key|http:/)
      }
    })

    test('nobody at the address is an OperationalError', async () => {
      const { fake, provider } = await start(shop.url)
      await fake.close()
      await expect(provider.fetchPayments([STRANGER])).rejects.toBeInstanceOf(OperationalError)
      expect(provider.name).toBe(name)
    })

    test('a payment asked for again after a lost answer is found, where the provider can be asked', async () => {
      const paymentId = newId('pay')
      await control('fail', { times: 1, match: path, method: 'POST', status: 500, after: true })
      await expect(checkout(5_000_000n, paymentId)).rejects.toBeInstanceOf(OperationalError)
      if (!bench.provider.findByPaymentId) return
      const found = await bench.provider.findByPaymentId(paymentId)
      const again = await checkout(5_000_000n, paymentId)
      expect(again.providerPaymentId).toBe(found!.providerPaymentId)
      expect(await bench.provider.findByPaymentId(newId('pay'))).toBeNull()
    })

    describe('the list of what was paid', () => {
      const HOUR = 3_600_000
      const listed = async (span = { from: new Date(Date.now() - HOUR), to: new Date(Date.now() + HOUR) }) =>
        (await bench.provider.listPaid!(span)).filter((each) => !known.has(each.providerPaymentId))
      let known = new Set<string>()
      beforeEach(async () => {
        if (!bench.provider.listPaid) return
        known = new Set()
        known = new Set((await listed()).map((each) => each.providerPaymentId))
      })

      test('holds what was paid across its pages, each once, and what carries no id of ours; not what waits or ended', async () => {
        if (!bench.provider.listPaid) return
        // Two pages and a bit at the vendors with the smallest ones, and one more everywhere.
        const many = Array.from({ length: 230 }, () => newId('pay'))
        const made = await Promise.all(many.map((paymentId) => checkout(20_000_000n, paymentId)))
        await Promise.all(
          made.map((each) => bench.setState(each.providerPaymentId, { state: words.paid, paid: '20.00' })),
        )
        const strange = await checkout()
        await bench.setState(strange.providerPaymentId, { state: words.paid, paid: '20.00', orderId: '' })
        await checkout()
        await bench.setState((await checkout()).providerPaymentId, { state: words.expired })
        const rows = await listed()
        expect(rows.map((each) => each.paymentId).sort()).toEqual([...many, null].sort())
        expect(new Set(rows.map((each) => each.providerPaymentId)).size).toBe(231)
        for (const row of rows)
          expect(row).toMatchObject({ receivedMicros: 20_000_000n, currency: 'USD', isTest: testFlag !== null })
        // The same words as a question about one of them.
        const one = made[100]!
        const [truth] = await bench.provider.fetchPayments([refOf(one)])
        const row = rows.find((each) => each.paymentId === one.paymentId)!
        expect([row.providerPaymentId, row.checkoutId]).toEqual([truth!.providerPaymentId, truth!.checkoutId])
      })

      test('is empty for a span in which nothing was begun', async () => {
        if (!bench.provider.listPaid) return
        const made = await checkout()
        await bench.setState(made.providerPaymentId, { state: words.paid, paid: '20.00' })
        expect(await listed()).toHaveLength(1)
        const day = 24 * HOUR
        expect(await listed({ from: new Date(Date.now() - 9 * day), to: new Date(Date.now() - 2 * day) })).toEqual([])
        expect(await listed({ from: new Date(Date.now() + day), to: new Date(Date.now() + 2 * day) })).toEqual([])
      })

      test('an outage is an OperationalError and never a short list', async () => {
        if (!bench.provider.listPaid) return
        await control('fail', { times: 1, match: path, status: 503 })
        await expect(listed()).rejects.toBeInstanceOf(OperationalError)
      })
    })

    test('a connection is tested: it holds, the key is refused, the account is unknown, nobody is there', async () => {
      expect(await bench.provider.testConnection()).toEqual({ ok: true })
      for (const mistake of knowsAccounts ? (['key', 'account'] as const) : (['key'] as const)) {
        const { fake, provider } = await start(shop.url, mistake)
        const why = mistake === 'key' ? 'key_refused' : 'account_unknown'
        expect(await provider.testConnection()).toEqual({ ok: false, why })
        await fake.close()
        expect(await provider.testConnection()).toEqual({ ok: false, why: 'unreachable' })
      }
    })

    test('whoever answers with nonsense is not taken for the vendor', async () => {
      const answering = vi.spyOn(globalThis, 'fetch')
      for (const body of ['<h1>Welcome</h1>', '{}', 'null', '"yes"', '{"error":"no"}'])
        for (const status of [200, 404, 503]) {
          answering.mockImplementation(() => Promise.resolve(new Response(body, { status })))
          expect(await bench.provider.testConnection()).toEqual({ ok: false, why: 'unexpected_answer' })
        }
      answering.mockRestore()
    })
  },
)
