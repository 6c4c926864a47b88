import { amountText } from '@/lib/kit'
import { escapeHtml, page } from './pages'

/** What a person may do on a stand-in's payment page, and how many callbacks follow. */
export const PAY_ACTIONS = {
  pay: { label: 'Pay', webhooks: 1 },
  less: { label: 'Pay less', webhooks: 1 },
  more: { label: 'Pay more', webhooks: 1 },
  expire: { label: 'Let it expire', webhooks: 1 },
  twice: { label: 'Pay and send the webhook twice', webhooks: 2 },
  never: { label: 'Pay and never send the webhook', webhooks: 0 },
} as const
export type PayAction = keyof typeof PAY_ACTIONS

/** The form's choice, or null for anything else. */
export function payActionOf(form: string): PayAction | null {
  const action = new URLSearchParams(form).get('action') ?? ''
  return Object.hasOwn(PAY_ACTIONS, action) ? (action as PayAction) : null
}

/** What is paid by an action: the missing part, half of it, or half as much again (the extra in whole cents, at least one). */
export function paidBy(action: PayAction, missingMicros: bigint): bigint {
  const cents = missingMicros / 10_000n
  if (action === 'less') return (cents / 2n || 1n) * 10_000n
  if (action === 'more') return missingMicros + (cents / 2n || 1n) * 10_000n
  return missingMicros
}

export type PayView = {
  brand: string
  reference: string
  amountMicros: bigint
  paidMicros: bigint
  currency: string
  state: string
  isDone: boolean
  expiresAt: string
  returnUrl: string | null
}

/** The hosted page of a payment. Its buttons post `action=…` to the page's own address. */
export function payPage(view: PayView): string {
  const missing = view.amountMicros - view.paidMicros
  const buttons = (Object.keys(PAY_ACTIONS) as PayAction[])
    .map(
      (action) =>
        `<button name="action" value="${action}"${action === 'pay' ? ' class="primary"' : ''}>${
          action === 'pay' ? `Pay ${amountText(missing)} ${escapeHtml(view.currency)}` : PAY_ACTIONS[action].label
        }</button>`,
    )
    .join('')
  const back = view.returnUrl ? `<p><a href="${escapeHtml(view.returnUrl)}">Back to the shop</a></p>` : ''
  return page(
    `${view.brand}: ${amountText(view.amountMicros)} ${view.currency}`,
    `<p class="soft">${escapeHtml(view.brand)} · a stand-in for a payment provider; no real money moves here</p>
<h1>Payment</h1><div class="card"><p class="sum">${amountText(view.amountMicros)} ${escapeHtml(view.currency)}</p>
<dl><dt>State</dt><dd><strong>${escapeHtml(view.state)}</strong></dd><dt>Paid so far</dt><dd>${amountText(view.paidMicros)} ${escapeHtml(view.currency)}</dd>
<dt>Pay until</dt><dd>${escapeHtml(view.expiresAt.slice(0, 16).replace('T', ' '))} UTC</dd><dt>Reference</dt><dd>${escapeHtml(view.reference)}</dd></dl>
${view.isDone ? '' : `<form method="post"><div class="actions">${buttons}</div></form>`}</div>${back}`,
  )
}
