import type { Metadata } from 'next'
import { getFormatter, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { PlanPricesCard } from '@/components/admin/plan-prices-card'
import { PriceLines } from '@/components/admin/price-changes'
import { RevisionField } from '@/components/admin/revision-field'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { CheckboxField, SelectField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { type CatalogOffer, readCatalog, SUPPLIERS, type SupplierName } from '@/lib/catalog'
import { isSupplierSetUp, listAvailability } from '@/lib/provisioning'
import { SUPPLIER_DEFINITIONS, type SupplierDefinition, writeOfferParam } from '@/lib/suppliers'
import { requireAdmin } from '@/lib/web'
import { saveOfferAction, savePlanAction } from '../../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('plan') }
}

/** A plan with its prices and offers, or with the id `new` an empty form for one of `?product=`. */
export default async function PlanPage({
  params,
  searchParams,
}: {
  params: Promise<{ planId: string }>
  searchParams: SearchParams
}) {
  await requireAdmin('catalog.write')
  const { planId } = await params
  const productAsked = oneOf((await searchParams).product)
  const [say, products, availability] = await Promise.all([
    getTranslations('admin'),
    readCatalog({ fresh: true }),
    listAvailability(),
  ])
  const product = products.find((each) =>
    planId === 'new' ? each.id === productAsked : each.plans.some((plan) => plan.id === planId),
  )
  const plan = product?.plans.find((each) => each.id === planId)
  if (!product || (!plan && planId !== 'new')) notFound()

  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/catalogue" className="text-accent underline">
            {say('backToCatalogue')}
          </Link>
        }
        title={plan ? plan.nameEn : say('newPlan')}
        lead={say('planOf', { product: product.nameEn })}
      />
      <div className="flex max-w-3xl flex-col gap-6">
        <Card>
          <ActionForm action={savePlanAction} className="flex flex-col gap-4">
            <input type="hidden" name="planId" value={plan?.id ?? ''} />
            <RevisionField revision={plan?.revision} />
            <input type="hidden" name="productId" value={product.id} />
            <TextField name="slug" label={say('slug')} help={say('slugHelp')} defaultValue={plan?.slug} required />
            <div className="grid gap-4 sm:grid-cols-2">
              <TextField name="nameEn" label={say('nameEn')} defaultValue={plan?.nameEn} lang="en" required />
              <TextField name="nameRu" label={say('nameRu')} defaultValue={plan?.nameRu} lang="ru" required />
              <TextField
                name="minQuantity"
                label={say('minQuantity')}
                inputMode="numeric"
                defaultValue={plan?.minQuantity ?? 1}
                required
              />
              <TextField
                name="maxQuantity"
                label={say('maxQuantity')}
                inputMode="numeric"
                defaultValue={plan?.maxQuantity ?? 100}
                required
              />
            </div>
            <PriceLines prices={plan ?? { periods: [], steps: [] }} />
            <CheckboxField name="isActive" label={say('isActive')} defaultChecked={plan?.isActive ?? true} />
            <SubmitButton className="self-start">{say('savePlan')}</SubmitButton>
          </ActionForm>
        </Card>
        {plan && <PlanPricesCard planId={plan.id} />}
        {plan && (
          <Card title={say('offers')} lead={say('offersLead')}>
            <div className="flex flex-col divide-y">
              {plan.offers.map((offer) => (
                <div key={offer.id} className="py-4 first:pt-0">
                  <OfferForm planId={plan.id} offer={offer} available={availability.get(offer.id) ?? null} />
                </div>
              ))}
              <div className="pt-4">
                <h3 className="mb-3 font-medium">{say('addOffer')}</h3>
                <OfferForm key={plan.offers.length} planId={plan.id} />
              </div>
            </div>
          </Card>
        )}
      </div>
    </>
  )
}

async function OfferForm({
  planId,
  offer,
  available,
}: {
  planId: string
  offer?: CatalogOffer
  available?: number | null
}) {
  const [say, format] = await Promise.all([getTranslations('admin'), getFormatter()])
  const supplier = offer?.supplier as SupplierName | undefined
  const isSetUp = supplier === undefined || (await isSupplierSetUp(supplier))
  return (
    <ActionForm action={saveOfferAction} className="group/offer flex flex-col gap-3">
      <input type="hidden" name="planId" value={planId} />
      <input type="hidden" name="offerId" value={offer?.id ?? ''} />
      {supplier && (
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium">{`${offer!.countryCode} · ${say(`supplier_${supplier}`)}`}</span>
          {!isSetUp && <Status tone="warning">{say('notSetUp')}</Status>}
          {offer!.isActive && (
            <span className="text-muted">
              {`${say('available')}: ${available === null || available === undefined ? say('unknownCount') : format.number(available)}`}
            </span>
          )}
        </p>
      )}
      <div className="grid gap-3 sm:grid-cols-4">
        <TextField
          name="countryCode"
          label={say('country')}
          help={say('countryHelp')}
          defaultValue={offer?.countryCode}
          maxLength={2}
          required
        />
        {supplier ? (
          <input type="hidden" name="supplier" value={supplier} />
        ) : (
          <SelectField name="supplier" label={say('supplier')} defaultValue="stock">
            {SUPPLIERS.map((each) => (
              <option key={each} value={each}>
                {say(`supplier_${each}`)}
              </option>
            ))}
          </SelectField>
        )}
        <TextField
          name="priority"
          label={say('priority')}
          inputMode="numeric"
          defaultValue={offer?.priority ?? 0}
          required
        />
      </div>
      {(supplier ? SUPPLIER_DEFINITIONS.filter(({ name }) => name === supplier) : SUPPLIER_DEFINITIONS).map(
        (definition) => (
          <OfferParams
            key={definition.name}
            definition={definition}
            params={offer?.supplierParams}
            isChosen={supplier !== undefined}
          />
        ),
      )}
      <CheckboxField name="isActive" label={say('isActive')} defaultChecked={offer?.isActive ?? true} />
      <SubmitButton size="sm" variant="secondary" className="self-start">
        {offer ? say('saveOffer') : say('addOffer')}
      </SubmitButton>
    </ActionForm>
  )
}

/** Which supplier's params a form shows that still has the choice: written out, because the style sheet is made of what stands in the sources. */
const SHOWN_FOR: Record<string, string> = {
  px6: 'hidden group-has-[option[value=px6]:checked]/offer:grid',
  'proxy-seller': 'hidden group-has-[option[value=proxy-seller]:checked]/offer:grid',
  'proxy-cheap': 'hidden group-has-[option[value=proxy-cheap]:checked]/offer:grid',
  iproyal: 'hidden group-has-[option[value=iproyal]:checked]/offer:grid',
  'iproyal-residential': 'hidden group-has-[option[value=iproyal-residential]:checked]/offer:grid',
  webshare: 'hidden group-has-[option[value=webshare]:checked]/offer:grid',
}

/** What an offer says to its supplier. The choice of the supplier shows its own fields, without a script. */
async function OfferParams({
  definition,
  params,
  isChosen,
}: {
  definition: SupplierDefinition
  params: unknown
  isChosen: boolean
}) {
  const say = await getTranslations('adminSuppliers')
  const { name } = definition
  return (
    <fieldset className={`gap-3 sm:grid-cols-3 ${isChosen ? 'grid' : SHOWN_FOR[name]}`}>
      <legend className="mb-2 text-sm font-medium">{say('paramsOf', { name: say(`brand_${name as 'px6'}`) })}</legend>
      {definition.params.map((param) => {
        const help = `paramHelp_${name}_${param.name}` as 'paramHelp_iproyal_plans'
        const shared = {
          name: `param.${name}.${param.name}`,
          label: say(`param_${param.name as 'version'}`),
          help: say.has(help) ? say(help) : param.isRequired ? undefined : say('optional'),
          defaultValue: writeOfferParam(param, params),
        }
        if (param.kind !== 'choice')
          return (
            <TextField
              key={param.name}
              {...shared}
              inputMode={param.kind === 'number' ? 'numeric' : undefined}
              autoComplete="off"
              spellCheck={false}
            />
          )
        return (
          <SelectField key={param.name} {...shared}>
            {param.choices!.map((choice) => {
              const word = `choice_${name}_${choice}` as 'choice_px6_4'
              return (
                <option key={choice} value={choice}>
                  {say.has(word) ? say(word) : choice}
                </option>
              )
            })}
          </SelectField>
        )
      })}
    </fieldset>
  )
}
