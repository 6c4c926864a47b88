'use client'

import Link from 'next/link'
import { type ReactNode, useId, useState } from 'react'
import { ActionForm, useFormAnswer } from '@/components/ui/action-form'
import { buttonStyles } from '@/components/ui/button-styles'
import { fillText } from '@/components/ui/fill-text'
import { INPUT_STYLES } from '@/components/ui/input-styles'
import { RequestKey } from '@/components/ui/request-key'
import { SubmitButton } from '@/components/ui/submit-button'
import { discounted, type Price, type PricedPlan, priceOf } from '@/lib/catalog/price'
import { ceilToCents, formatMoney } from '@/lib/kit/money'
import type { FormAction } from '@/lib/web'
import type { CalculatorTexts } from './calculator-texts'
import type { Choice, Place } from './choice'
import { planPath } from './plan-path'

export type CalculatedPlan = Omit<PricedPlan, 'periods'> & {
  id: string
  slug: string
  periods: { days: number; unitPriceMicros: bigint; name: string }[]
  places: Place[]
}

type Shown = { plan: CalculatedPlan; currency: string; locale: string; texts: CalculatorTexts }
/** What the signed-in person needs to buy here. */
export type Buyer = {
  action: FormAction
  requestKey: string
  balanceMicros: bigint
  owedMicros: bigint
  leastTopUpMicros: bigint
}

/**
 * What a choice costs, at once and by the very function that charges. The choice lives in the address, so that it can be shared and survives
 * signing in. Without script the choice is a plain form, and the server prices it. `use` says what one can do with the price here.
 */
export function PlanCalculator({
  plan,
  currency,
  locale,
  texts,
  choice: first,
  quantityHelp,
  use,
}: Shown & {
  choice: Choice
  quantityHelp: string
  use: { kind: 'look' } | { kind: 'sign_in' } | ({ kind: 'buy' } & Buyer)
}) {
  const [choice, setChoice] = useState<TypedChoice>({ ...first, quantity: String(first.quantity) })
  const id = useId()
  const chosen = choiceOf(choice)
  const price = priceOf(plan, { periodDays: chosen.days, quantity: chosen.quantity })
  const money = (micros: bigint) => formatMoney(micros, currency, locale)
  const path = planPath(plan.slug, chosen)
  const choose = (changed: Partial<TypedChoice>) => {
    const typed = { ...choice, ...changed }
    setChoice(typed)
    const next = choiceOf(typed)
    // The home page shows a plan without being its page, and a choice that has no price is no choice to keep.
    if (use.kind !== 'look' && priceOf(plan, { periodDays: next.days, quantity: next.quantity }))
      window.history.replaceState(null, '', planPath(plan.slug, next))
  }

  const available = plan.places.find((place) => place.code === choice.country)?.available ?? null
  const isShort = available !== null && price !== null && price.quantity > available
  return (
    <div className="flex flex-col gap-5 text-sm">
      <form action={planPath(plan.slug)} className="grid gap-4 sm:grid-cols-3">
        <Choosing label={texts.country} id={`${id}-country`}>
          <select
            id={`${id}-country`}
            name="country"
            className={INPUT_STYLES}
            value={choice.country}
            onChange={(event) => choose({ country: event.target.value })}
          >
            {plan.places.map((place) => (
              <option key={place.code} value={place.code}>
                {place.name}
              </option>
            ))}
          </select>
        </Choosing>
        <Choosing label={texts.period} id={`${id}-days`}>
          <select
            id={`${id}-days`}
            name="days"
            className={INPUT_STYLES}
            value={choice.days}
            onChange={(event) => choose({ days: Number(event.target.value) })}
          >
            {plan.periods.map((period) => (
              <option key={period.days} value={period.days}>
                {period.name}
              </option>
            ))}
          </select>
        </Choosing>
        <Choosing label={texts.quantity} id={`${id}-quantity`} help={quantityHelp}>
          <input
            id={`${id}-quantity`}
            name="quantity"
            type="number"
            inputMode="numeric"
            min={plan.minQuantity}
            max={plan.maxQuantity}
            step={1}
            className={`${INPUT_STYLES} tabular-nums`}
            aria-describedby={`${id}-quantity-help`}
            aria-invalid={price === null || undefined}
            value={choice.quantity}
            onChange={(event) => choose({ quantity: event.target.value })}
          />
        </Choosing>
        <noscript>
          <button type="submit" className={buttonStyles({ variant: 'secondary' })}>
            {texts.showPrice}
          </button>
        </noscript>
      </form>
      <div aria-live="polite" className="flex flex-col gap-3">
        {price ? (
          <PriceLines price={price} texts={texts} money={money} />
        ) : (
          <p className="rounded-md border border-warning-border bg-warning-soft p-3">
            <span aria-hidden="true" className="font-semibold text-warning">
              !{' '}
            </span>
            {fillText(texts.noPrice, { min: String(plan.minQuantity), max: String(plan.maxQuantity) })}
          </p>
        )}
        {isShort && (
          <p className="rounded-md border border-warning-border bg-warning-soft p-3">
            <span aria-hidden="true" className="font-semibold text-warning">
              !{' '}
            </span>
            {available === 0 ? texts.noneLeft : fillText(texts.onlyLeft, { count: String(available) })}
          </p>
        )}
      </div>
      {use.kind === 'look' && price && (
        <Link href={path} prefetch={false} className={buttonStyles({ size: 'lg' })}>
          {fillText(texts.seePlan, { quantity: String(price.quantity), total: money(price.totalMicros) })}
        </Link>
      )}
      {use.kind === 'sign_in' && (
        <div className="flex flex-col gap-2">
          <Link
            href={`/sign-in?next=${encodeURIComponent(path)}`}
            prefetch={false}
            className={buttonStyles({ size: 'lg' })}
          >
            {texts.signInToBuy}
          </Link>
          <p className="text-muted">{texts.signInHelp}</p>
        </div>
      )}
      {use.kind === 'buy' && price && (
        <ActionForm action={use.action} className="flex flex-col gap-3">
          <input type="hidden" name="planId" value={plan.id} />
          <input type="hidden" name="countryCode" value={choice.country} />
          <input type="hidden" name="periodDays" value={choice.days} />
          <input type="hidden" name="quantity" value={price.quantity} />
          <RequestKey value={use.requestKey} />
          <BuyButtons
            price={price}
            country={choice.country}
            isAvailable={!isShort}
            texts={texts}
            money={money}
            buyer={use}
          />
          <p className="text-muted">{texts.afterwards}</p>
        </ActionForm>
      )}
    </div>
  )
}

/** The quantity as typed, so that it can be emptied and typed anew. */
type TypedChoice = Omit<Choice, 'quantity'> & { quantity: string }

function choiceOf({ quantity, ...rest }: TypedChoice): Choice {
  return { ...rest, quantity: /^\d{1,6}$/.test(quantity.trim()) ? Number(quantity) : 0 }
}

function Choosing({ label, id, help, children }: { label: string; id: string; help?: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children}
      {help && (
        <p id={`${id}-help`} className="text-muted">
          {help}
        </p>
      )}
    </div>
  )
}

type Money = (micros: bigint) => string

function PriceLines({ price, texts, money }: { price: Price; texts: CalculatorTexts; money: Money }) {
  const percent = `${price.discountBasisPoints / 100} %`
  const each = discounted(price.unitPriceMicros, price.discountBasisPoints)
  const next = price.nextStep
  return (
    <>
      <dl className="grid grid-cols-[1fr_auto] gap-y-1.5 rounded-md bg-sunken p-4 tabular-nums">
        <dt className="text-muted">{texts.perPiece}</dt>
        <dd className="pl-4 text-right">{money(each)}</dd>
        <dt className="text-muted">{texts.listTotal}</dt>
        <dd className="pl-4 text-right">{money(price.grossMicros)}</dd>
        {price.discountMicros > 0n && (
          <>
            <dt className="text-muted">{fillText(texts.discountLine, { percent })}</dt>
            <dd className="pl-4 text-right text-good">{money(-price.discountMicros)}</dd>
          </>
        )}
        <dt className="border-t pt-2 text-base font-semibold">{texts.total}</dt>
        <dd className="border-t pt-2 pl-4 text-right text-base font-semibold">{money(price.totalMicros)}</dd>
      </dl>
      {next && (
        <p className="text-muted">
          {fillText(texts.nextStep, {
            more: String(next.fromQuantity - price.quantity),
            saving: money(each - next.unitPriceMicros),
          })}
        </p>
      )}
    </>
  )
}

/**
 * Sends the total that is shown. After `price_changed` that is the new one, which the refusal names, until the choice is changed: pressing again is
 * agreeing to it.
 */
function BuyButtons({
  price,
  country,
  isAvailable,
  texts,
  money,
  buyer,
}: {
  price: Price
  country: string
  isAvailable: boolean
  texts: CalculatorTexts
  money: Money
  buyer: Buyer
}) {
  const { state } = useFormAnswer()
  const isSameChoice =
    state.values.countryCode === country &&
    state.values.periodDays === String(price.periodDays) &&
    state.values.quantity === String(price.quantity)
  // What the server named, or agreed to when it only found the balance short.
  const newTotal = !isSameChoice
    ? undefined
    : state.code === 'insufficient_balance' || state.code === 'in_debt'
      ? state.values.totalMicros
      : state.facts.totalMicros
  const totalMicros = newTotal ? BigInt(newTotal) : price.totalMicros
  const refused = isSameChoice && state.code === 'insufficient_balance' ? state.facts.balanceMicros : undefined
  const balanceMicros = refused ? BigInt(refused) : buyer.balanceMicros
  // What is owed is paid first, so it has to come as well.
  const missingMicros = totalMicros + buyer.owedMicros - balanceMicros
  const isBalanceShort = missingMicros > 0n
  const least = buyer.leastTopUpMicros
  const topUpMicros = ceilToCents(missingMicros) > least ? ceilToCents(missingMicros) : least
  return (
    <>
      <input type="hidden" name="totalMicros" value={String(totalMicros)} />
      <PromotionCode texts={texts} />
      {totalMicros < price.totalMicros && (
        <p className="font-semibold">
          {fillText(texts.promotionLine, {
            discount: money(price.totalMicros - totalMicros),
            total: money(totalMicros),
          })}
        </p>
      )}
      {isBalanceShort && isAvailable && (
        <div className="flex flex-col gap-2 rounded-md border border-info-border bg-info-soft p-3">
          {state.code !== 'insufficient_balance' && (
            <p className="font-medium">
              {fillText(texts.balanceShort, { balance: money(balanceMicros), missing: money(missingMicros) })}
            </p>
          )}
          <p>
            {texts.topUpHelp}
            {topUpMicros > ceilToCents(missingMicros) && ` ${fillText(texts.topUpLeast, { least: money(least) })}`}
          </p>
          <SubmitButton size="lg" name="ifShort" value="top_up">
            {fillText(texts.topUpAndFinish, { amount: money(topUpMicros) })}
          </SubmitButton>
        </div>
      )}
      <SubmitButton
        size="lg"
        variant={isBalanceShort && isAvailable ? 'secondary' : 'primary'}
        name="ifShort"
        value="refuse"
      >
        {fillText(texts.buy, { quantity: String(price.quantity), total: money(totalMicros) })}
      </SubmitButton>
    </>
  )
}

/** A code that lowers the price. Its button stands first in the form, so that Enter in the field asks and does not buy. */
function PromotionCode({ texts }: { texts: CalculatorTexts }) {
  const { state } = useFormAnswer()
  const id = useId()
  const error = state.fieldErrors.promotionCode
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        {texts.promotionCode}
      </label>
      <div className="flex flex-wrap gap-2">
        <input
          id={id}
          name="promotionCode"
          maxLength={200}
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          className={`${INPUT_STYLES} max-w-48 uppercase placeholder:normal-case`}
          aria-describedby={`${id}-help`}
          aria-invalid={error ? true : undefined}
          defaultValue={state.values.promotionCode}
        />
        <SubmitButton variant="secondary" name="ifShort" value="check">
          {texts.promotionCheck}
        </SubmitButton>
      </div>
      <p id={`${id}-help`} className={error ? 'font-medium text-bad' : 'text-muted'}>
        {error ? `✕ ${error}` : texts.promotionHelp}
      </p>
    </div>
  )
}
