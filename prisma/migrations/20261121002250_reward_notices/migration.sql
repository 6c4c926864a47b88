-- What referrers are told. Money that leaves is always mailed.
INSERT INTO notice_templates (template, type, is_mail_required, is_mail_only) VALUES
  ('rewards_available', 'referrals', false, false),
  ('payout_paid', 'referrals', true, false),
  ('payout_declined', 'referrals', true, false);
