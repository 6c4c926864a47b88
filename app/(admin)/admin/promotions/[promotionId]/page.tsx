import type { Metadata } from 'next'
import { getLocale, getNow, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { CountriesField } from '@/components/admin/countries-field'
import { CustomerLink, IdLink } from '@/components/admin/links'
import { PromotionStatus } from '@/components/admin/promotion-words'
import { RevisionField } from '@/components/admin/revision-field'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { CheckboxField, SelectField, TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { readCatalog } from '@/lib/catalog'
import { env } from '@/lib/env'
import { listUsernames } from '@/lib/identity'
import { amountText } from '@/lib/kit'
import { findPromotion, listUses, PROMOTION_KINDS, type PromotionRow } from '@/lib/promotions'
import { requireAdmin } from '@/lib/web'
import { savePromotionAction, switchPromotionAction } from '../actions'

type Props = { params: Promise<{ promotionId: string }> }

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('promotions'))('title') }
}

/** A code with its uses, or with the id `new` an empty form for one. */
export default async function AdminPromotionPage({ params }: Props) {
  await requireAdmin('promotions.write')
  const { promotionId } = await params
  const promotion = promotionId === 'new' ? null : await findPromotion(promotionId)
  if (!promotion && promotionId !== 'new') notFound()
  const [say, now] = await Promise.all([getTranslations('promotions'), getNow()])
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/promotions" className="text-accent underline">
            {say('backToList')}
          </Link>
        }
        title={promotion ? say('editTitle', { code: promotion.code }) : say('newPromotion')}
        lead={promotion ? say('editLead', { used: promotion.used }) : undefined}
        action={promotion && <PromotionStatus promotion={promotion} now={now} />}
      />
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 xl:grid-cols-2">
        <PromotionForm promotion={promotion} />
        {promotion && (
          <div className="flex min-w-0 flex-col gap-6">
            <Card title={say('state')} lead={say('switchHelp')}>
              <ActionForm action={switchPromotionAction}>
                <input type="hidden" name="promotionId" value={promotion.id} />
                <SubmitButton variant="secondary" name="to" value={promotion.isActive ? 'off' : 'on'}>
                  {say(promotion.isActive ? 'switchOff' : 'switchOn')}
                </SubmitButton>
              </ActionForm>
            </Card>
            <Uses promotionId={promotion.id} />
          </div>
        )}
      </div>
    </>
  )
}

/** A moment as `datetime-local` fields take it. */
function momentText(at: Date | null | undefined): string {
  return at ? at.toISOString().slice(0, 16) : ''
}

function microsText(micros: bigint | null | undefined): string {
  return micros === null || micros === undefined ? '' : amountText(micros)
}

/** Terms and limits. The terms of a code that was used stand there unchangeable: they are sent as they are. */
async function PromotionForm({ promotion }: { promotion: PromotionRow | null }) {
  const [say, locale, products] = await Promise.all([
    getTranslations('promotions'),
    getLocale(),
    readCatalog({ fresh: true }),
  ])
  const currency = promotion?.currency ?? env().SHOP_CURRENCY
  const isFixed = promotion !== null && promotion.reserved + promotion.consumed > 0
  const fixed = isFixed ? { readOnly: true } : {}
  const chosen = new Set(promotion?.productIds)
  return (
    <Card title={say('terms')} lead={isFixed ? say('termsFixed') : undefined}>
      <ActionForm action={savePromotionAction} className="flex flex-col gap-4">
        {promotion && (
          <>
            <input type="hidden" name="promotionId" value={promotion.id} />
            <RevisionField revision={promotion.revision} />
          </>
        )}
        <TextField
          name="code"
          label={say('code')}
          help={say('codeHelp')}
          defaultValue={promotion?.code}
          maxLength={32}
          autoComplete="off"
          spellCheck={false}
          className="font-mono uppercase"
          required
          {...fixed}
        />
        <TextField
          name="label"
          label={say('label')}
          help={say('labelHelp')}
          defaultValue={promotion?.label}
          maxLength={120}
          required
        />
        {isFixed ? (
          <>
            <input type="hidden" name="kind" value={promotion.kind} />
            <p>{say(`kind_${promotion.kind}`)}</p>
          </>
        ) : (
          <SelectField name="kind" label={say('kind')} defaultValue={promotion?.kind ?? 'percent'}>
            {PROMOTION_KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {say(`kind_${kind}`)}
              </option>
            ))}
          </SelectField>
        )}
        <TextField
          name="percent"
          label={say('percent')}
          help={say('percentHelp')}
          defaultValue={promotion?.percent ?? ''}
          inputMode="numeric"
          {...fixed}
        />
        <TextField
          name="amountMicros"
          label={say('amount', { currency })}
          help={say('amountHelp')}
          defaultValue={microsText(promotion?.amountMicros)}
          inputMode="decimal"
          {...fixed}
        />
        <TextField
          name="gigabytes"
          label={say('gigabytes')}
          help={say('gigabytesHelp')}
          defaultValue={promotion?.gigabytes ?? ''}
          inputMode="numeric"
          {...fixed}
        />
        <TextField
          name="minimumMicros"
          label={say('minimum', { currency })}
          help={say('minimumHelp')}
          defaultValue={microsText(promotion?.minimumMicros)}
          inputMode="decimal"
          {...fixed}
        />
        <TextField
          name="capMicros"
          label={say('cap', { currency })}
          help={say('capHelp')}
          defaultValue={microsText(promotion?.capMicros)}
          inputMode="decimal"
          {...fixed}
        />
        <h3 className="mt-2 font-semibold">{say('limits')}</h3>
        <CheckboxField name="firstOnly" label={say('firstOnly')} defaultChecked={promotion?.firstOnly} />
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 font-medium">{say('products')}</legend>
          {products.map((product) => (
            <label key={product.id} className="flex items-start gap-3">
              <input
                type="checkbox"
                name="productIds"
                value={product.id}
                defaultChecked={chosen.has(product.id)}
                className="mt-0.5 size-5 shrink-0 accent-accent"
              />
              {locale === 'ru' ? product.nameRu : product.nameEn}
            </label>
          ))}
          <p className="text-muted">{say('productsHelp')}</p>
        </fieldset>
        <CountriesField chosen={promotion?.countries} />
        <TextField
          name="startsAt"
          type="datetime-local"
          label={say('startsAt')}
          help={say('momentHelp')}
          defaultValue={momentText(promotion?.startsAt)}
        />
        <TextField
          name="endsAt"
          type="datetime-local"
          label={say('endsAt')}
          help={say('momentHelp')}
          defaultValue={momentText(promotion?.endsAt)}
        />
        <TextField
          name="perPerson"
          label={say('perPerson')}
          help={say('usesHelp')}
          defaultValue={promotion?.perPerson ?? ''}
          inputMode="numeric"
        />
        <TextField
          name="maxUses"
          label={say('maxUses')}
          help={say('usesHelp')}
          defaultValue={promotion?.maxUses ?? ''}
          inputMode="numeric"
        />
        <SubmitButton className="self-start">{say('save')}</SubmitButton>
      </ActionForm>
    </Card>
  )
}

const PATHS = { order: '/admin/orders', payment: '/admin/payments' } as const

async function Uses({ promotionId }: { promotionId: string }) {
  const [say, uses] = await Promise.all([getTranslations('promotions'), listUses(promotionId)])
  const names = await listUsernames(uses.map((use) => use.userId))
  return (
    <Card title={say('uses')}>
      <DataTable
        caption={say('uses')}
        rows={uses}
        rowKey={(use) => use.id}
        empty={<p className="text-muted">{say('usesEmpty')}</p>}
        columns={[
          {
            key: 'subject',
            head: say('subject'),
            cell: ({ subjectKind, subjectId }) => (
              <>
                {say(`subject_${subjectKind as 'order'}`)}{' '}
                {subjectKind === 'intent' ? null : (
                  <IdLink href={`${PATHS[subjectKind as 'order']}/${subjectId}`} id={subjectId} />
                )}
              </>
            ),
          },
          { key: 'person', head: say('person'), cell: (use) => <CustomerLink userId={use.userId} names={names} /> },
          {
            key: 'state',
            head: say('state'),
            cell: (use) => (
              <Status tone={use.state === 'consumed' ? 'good' : use.state === 'reserved' ? 'info' : 'neutral'}>
                {say(`use_${use.state as 'reserved'}`)}
              </Status>
            ),
          },
          {
            key: 'given',
            head: say('given'),
            isNumber: true,
            cell: (use) => (
              <Money
                micros={use.state === 'released' ? 0n : use.amountMicros - use.returnedMicros}
                currency={use.currency}
              />
            ),
          },
          { key: 'when', head: say('when'), cell: (use) => <RelativeTime at={use.createdAt} /> },
        ]}
      />
    </Card>
  )
}
