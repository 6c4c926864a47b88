'use client'

import { type ComponentProps, type ReactNode, useId } from 'react'
import { useFormAnswer } from './action-form'
import { INPUT_STYLES } from './input-styles'

type FieldText = { name: string; label: ReactNode; help?: ReactNode }

/** Ties label, help and error to a control: by ids, so that a screen reader reads them with it. */
function useField(name: string, help: ReactNode) {
  const { state } = useFormAnswer()
  const id = useId()
  const error = state.fieldErrors[name]
  const describedBy = [help ? `${id}-help` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ') || undefined
  return {
    id,
    error,
    typed: state.values[name],
    control: { id, name, 'aria-describedby': describedBy, 'aria-invalid': error ? (true as const) : undefined },
  }
}

function Frame({
  id,
  label,
  help,
  error,
  children,
}: {
  id: string
  label: ReactNode
  help?: ReactNode
  error?: string
  children: ReactNode
}) {
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children}
      {help && (
        <p id={`${id}-help`} className="text-sm text-muted">
          {help}
        </p>
      )}
      <FieldError id={id} error={error} />
    </div>
  )
}

function FieldError({ id, error }: { id: string; error?: string }) {
  if (!error) return null
  return (
    <p id={`${id}-error`} className="text-sm font-medium text-bad">
      <span aria-hidden="true">✕ </span>
      {error}
    </p>
  )
}

/** A line of text with its label above, help and error under it. Inside an ActionForm. */
export function TextField({
  name,
  label,
  help,
  className = '',
  defaultValue,
  ...props
}: FieldText & Omit<ComponentProps<'input'>, 'name'>) {
  const field = useField(name, help)
  return (
    <Frame id={field.id} label={label} help={help} error={field.error}>
      <input
        {...field.control}
        className={`${INPUT_STYLES} ${className}`}
        defaultValue={field.typed ?? defaultValue}
        {...props}
      />
    </Frame>
  )
}

/** Several lines of text. */
export function TextAreaField({
  name,
  label,
  help,
  className = '',
  defaultValue,
  ...props
}: FieldText & Omit<ComponentProps<'textarea'>, 'name'>) {
  const field = useField(name, help)
  return (
    <Frame id={field.id} label={label} help={help} error={field.error}>
      <textarea
        {...field.control}
        className={`${INPUT_STYLES} min-h-40 py-2 ${className}`}
        defaultValue={field.typed ?? defaultValue}
        {...props}
      />
    </Frame>
  )
}

/** One of several: the browser's own select, which every device knows how to show. */
export function SelectField({
  name,
  label,
  help,
  className = '',
  defaultValue,
  children,
  ...props
}: FieldText & Omit<ComponentProps<'select'>, 'name'>) {
  const field = useField(name, help)
  return (
    <Frame id={field.id} label={label} help={help} error={field.error}>
      <select
        {...field.control}
        className={`${INPUT_STYLES} ${className}`}
        defaultValue={field.typed ?? defaultValue}
        {...props}
      >
        {children}
      </select>
    </Frame>
  )
}

/** A yes that is never there before the person gives it, unless `defaultChecked` says what holds already. */
export function CheckboxField({
  name,
  label,
  help,
  defaultChecked,
  ...props
}: FieldText & Omit<ComponentProps<'input'>, 'name' | 'type'>) {
  const field = useField(name, help)
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-start gap-3">
        <input
          type="checkbox"
          {...field.control}
          className="mt-0.5 size-5 shrink-0 accent-accent"
          defaultChecked={field.typed === undefined ? defaultChecked : field.typed === 'on'}
          {...props}
        />
        <label htmlFor={field.id} className="text-sm">
          {label}
        </label>
      </div>
      {help && (
        <p id={`${field.id}-help`} className="pl-8 text-sm text-muted">
          {help}
        </p>
      )}
      <div className="pl-8">
        <FieldError id={field.id} error={field.error} />
      </div>
    </div>
  )
}
