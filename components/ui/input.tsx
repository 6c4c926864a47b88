import type { ComponentProps } from 'react'
import { INPUT_STYLES } from './input-styles'

/** A bare input for filters and searches in plain GET forms. In forms over actions use TextField. */
export function Input({ className = '', ...props }: ComponentProps<'input'>) {
  return <input className={`${INPUT_STYLES} ${className}`} {...props} />
}

export function Select({ className = '', ...props }: ComponentProps<'select'>) {
  return <select className={`${INPUT_STYLES} ${className}`} {...props} />
}

export function Label({ className = '', ...props }: ComponentProps<'label'>) {
  return <label className={`text-sm font-medium ${className}`} {...props} />
}
