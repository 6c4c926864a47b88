-- The ledger: fences first, then the only functions that write it.
SET lock_timeout = '5s';

-- An id of the shape lib/kit/ids.ts makes: prefix, 12 hex digits of milliseconds, 20 random ones.
CREATE FUNCTION new_id(prefix text) RETURNS text LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT prefix || '_' || lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
         || substr(replace(gen_random_uuid()::text, '-', ''), 13, 20)
$$;

-- Fences ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: a correction is a new row', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_transfers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_transfers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE ON ledger_accounts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE ON ledger_holds FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE ledger_accounts
  ADD CONSTRAINT guarded_never_below_zero CHECK (NOT is_guarded OR balance_micros >= 0),
  ADD CONSTRAINT system_keeps_no_balance CHECK (is_guarded OR (balance_micros = 0 AND version = 0));
ALTER TABLE ledger_transfers
  ADD CONSTRAINT amount_is_positive CHECK (amount_micros > 0),
  ADD CONSTRAINT between_two_accounts CHECK (from_account_id <> to_account_id);
ALTER TABLE ledger_entries
  ADD CONSTRAINT amount_is_not_zero CHECK (amount_micros <> 0),
  ADD CONSTRAINT chain_is_whole CHECK (
    (balance_before_micros IS NULL AND balance_after_micros IS NULL AND account_version IS NULL)
    OR (balance_after_micros = balance_before_micros + amount_micros AND balance_after_micros >= 0 AND account_version > 0));
ALTER TABLE ledger_holds
  ADD CONSTRAINT amount_is_positive CHECK (amount_micros > 0),
  ADD CONSTRAINT parts_are_not_negative CHECK (captured_micros >= 0 AND released_micros >= 0),
  ADD CONSTRAINT never_more_than_held CHECK (captured_micros + released_micros <= amount_micros);

-- A hold only ever moves on: what was captured or released stays so, and its amount is what it was.
CREATE FUNCTION refuse_hold_undone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.amount_micros <> OLD.amount_micros OR NEW.account_id <> OLD.account_id OR NEW.currency <> OLD.currency
     OR NEW.captured_micros < OLD.captured_micros OR NEW.released_micros < OLD.released_micros THEN
    RAISE EXCEPTION 'a hold is not undone' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER moves_on_only BEFORE UPDATE ON ledger_holds FOR EACH ROW EXECUTE FUNCTION refuse_hold_undone();

-- A busy customer's row is rewritten with every purchase; without room for HOT updates and an eager vacuum one account's purchases
-- slow to a quarter within a minute (docs/decisions/0002).
ALTER TABLE ledger_accounts SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE ledger_holds SET (fillfactor = 80);
ALTER TABLE outbox_jobs SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- Accounts -------------------------------------------------------------------------------------------------------

-- The account of an owner, made at its first use. Which kinds are guarded is said here and nowhere else.
CREATE FUNCTION ledger_account(p_owner text, p_kind text, p_currency text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_id text;
BEGIN
  SELECT id INTO v_id FROM ledger_accounts WHERE owner = p_owner AND kind = p_kind AND currency = p_currency;
  IF v_id IS NULL THEN
    INSERT INTO ledger_accounts (id, owner, kind, currency, is_guarded)
    VALUES (new_id('acc'), p_owner, p_kind, p_currency, p_kind IN ('customer_balance', 'referral_payable'))
    ON CONFLICT (owner, kind, currency) DO NOTHING;
    -- whoever won the race has committed by now: the conflict waited for it
    SELECT id INTO v_id FROM ledger_accounts WHERE owner = p_owner AND kind = p_kind AND currency = p_currency;
  END IF;
  RETURN v_id;
END $$;

-- Postings -------------------------------------------------------------------------------------------------------

-- Moves money, once per key. Outcome: 'posted'; 'repeated' when the key was posted before with the same content; 'key_reused' when with
-- other content; 'insufficient_balance' when a guarded account would fall below zero. Only 'posted' has written anything.
-- Locks the guarded accounts it touches, in id order, until the caller's transaction ends; system accounts are not locked.
CREATE FUNCTION ledger_post(
  p_key text, p_from text, p_to text, p_amount bigint, p_currency text, p_source_kind text, p_source_id text,
  p_reverses text, p_happened_at timestamptz,
  OUT outcome text, OUT transfer_id text, OUT from_balance bigint, OUT to_balance bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_account record; v_old record; v_from_guarded boolean; v_to_guarded boolean; v_from_version bigint; v_to_version bigint;
BEGIN
  -- Without FOR UPDATE's strength: foreign keys of new entries take KEY SHARE on these rows.
  FOR v_account IN
    SELECT id, currency, is_guarded, balance_micros, version FROM ledger_accounts WHERE id IN (p_from, p_to) AND is_guarded
    ORDER BY id FOR NO KEY UPDATE
  LOOP
    IF v_account.currency <> p_currency THEN RAISE EXCEPTION 'account % is not kept in %', v_account.id, p_currency; END IF;
    IF v_account.id = p_from THEN v_from_guarded := true; from_balance := v_account.balance_micros; v_from_version := v_account.version;
    ELSE v_to_guarded := true; to_balance := v_account.balance_micros; v_to_version := v_account.version; END IF;
  END LOOP;

  transfer_id := new_id('trf');
  -- The key is looked up after the lock, so that of two equal postings at once the second sees the first. Postings that share a key but no
  -- guarded account stand in no line: there the unique key makes the second wait, insert nothing, and look again.
  LOOP
    SELECT t.id, t.from_account_id, t.to_account_id, t.amount_micros, t.currency, t.source_kind, t.source_id INTO v_old
    FROM ledger_transfers t WHERE t.key = p_key;
    IF FOUND THEN
      transfer_id := v_old.id;
      outcome := CASE WHEN (v_old.from_account_id, v_old.to_account_id, v_old.amount_micros, v_old.currency, v_old.source_kind, v_old.source_id)
        = (p_from, p_to, p_amount, p_currency, p_source_kind, p_source_id) THEN 'repeated' ELSE 'key_reused' END;
      RETURN;
    END IF;
    IF v_from_guarded AND from_balance < p_amount THEN
      transfer_id := NULL;
      outcome := 'insufficient_balance';
      RETURN;
    END IF;
    INSERT INTO ledger_transfers (id, key, from_account_id, to_account_id, amount_micros, currency, source_kind, source_id, reverses_transfer_id, happened_at)
    VALUES (transfer_id, p_key, p_from, p_to, p_amount, p_currency, p_source_kind, p_source_id, p_reverses, p_happened_at)
    ON CONFLICT (key) DO NOTHING;
    EXIT WHEN FOUND;
  END LOOP;
  INSERT INTO ledger_entries (transfer_id, account_id, amount_micros, balance_before_micros, balance_after_micros, account_version) VALUES
    (transfer_id, p_from, -p_amount, CASE WHEN v_from_guarded THEN from_balance END, CASE WHEN v_from_guarded THEN from_balance - p_amount END, v_from_version + 1),
    (transfer_id, p_to, p_amount, CASE WHEN v_to_guarded THEN to_balance END, CASE WHEN v_to_guarded THEN to_balance + p_amount END, v_to_version + 1);
  IF v_from_guarded THEN
    UPDATE ledger_accounts SET balance_micros = balance_micros - p_amount, version = version + 1 WHERE id = p_from;
    from_balance := from_balance - p_amount;
  END IF;
  IF v_to_guarded THEN
    UPDATE ledger_accounts SET balance_micros = balance_micros + p_amount, version = version + 1 WHERE id = p_to;
    to_balance := to_balance + p_amount;
  END IF;
  outcome := 'posted';
END $$;

-- Takes a posting back, whole and once: a new transfer the other way that names the first.
-- Outcome as ledger_post; also 'not_found', and 'already_reversed' when another key has done it.
CREATE FUNCTION ledger_reverse(p_key text, p_transfer_id text, p_happened_at timestamptz, OUT outcome text, OUT transfer_id text)
LANGUAGE plpgsql AS $$
DECLARE v_old ledger_transfers; v_other text;
BEGIN
  SELECT * INTO v_old FROM ledger_transfers t WHERE t.id = p_transfer_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  SELECT t.id INTO v_other FROM ledger_transfers t WHERE t.reverses_transfer_id = p_transfer_id AND t.key <> p_key;
  IF FOUND THEN outcome := 'already_reversed'; transfer_id := v_other; RETURN; END IF;
  SELECT p.outcome, p.transfer_id INTO outcome, transfer_id
  FROM ledger_post(p_key, v_old.to_account_id, v_old.from_account_id, v_old.amount_micros, v_old.currency, 'transfer', v_old.id, v_old.id, p_happened_at) p;
END $$;

-- Sets money of a customer aside under a fact's id. Outcome: 'posted' | 'repeated' | 'key_reused' | 'insufficient_balance'.
CREATE FUNCTION ledger_hold(p_hold_id text, p_account text, p_amount bigint, p_currency text, p_source_kind text, p_happened_at timestamptz,
  OUT outcome text, OUT balance bigint) LANGUAGE plpgsql AS $$
BEGIN
  SELECT p.outcome, p.from_balance INTO outcome, balance
  FROM ledger_post('hold:' || p_hold_id, p_account, ledger_account('shop', 'held_for_orders', p_currency), p_amount, p_currency,
                   p_source_kind, p_hold_id, NULL, p_happened_at) p;
  IF outcome = 'posted' THEN
    INSERT INTO ledger_holds (id, account_id, currency, amount_micros) VALUES (p_hold_id, p_account, p_currency, p_amount);
  END IF;
END $$;

-- Ends a hold: p_captured goes to the named system account, the rest returns to the customer; together they are the whole of what is still held.
-- Locks the hold row, so that of two at once the second finds nothing left. Outcome: 'settled' | 'repeated' (nothing was left) | 'not_found'
-- | 'more_than_held'. `balance` is the customer's balance when money returned.
CREATE FUNCTION ledger_settle_hold(p_hold_id text, p_captured bigint, p_capture_to text, p_source_kind text, p_happened_at timestamptz,
  OUT outcome text, OUT captured bigint, OUT released bigint, OUT balance bigint) LANGUAGE plpgsql AS $$
DECLARE v_hold ledger_holds; v_held text; v_part text;
BEGIN
  SELECT * INTO v_hold FROM ledger_holds h WHERE h.id = p_hold_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  released := v_hold.amount_micros - v_hold.captured_micros - v_hold.released_micros - p_captured;
  captured := p_captured;
  IF v_hold.captured_micros + v_hold.released_micros = v_hold.amount_micros THEN
    outcome := 'repeated'; captured := v_hold.captured_micros; released := v_hold.released_micros; RETURN;
  END IF;
  IF p_captured < 0 OR released < 0 THEN outcome := 'more_than_held'; RETURN; END IF;
  v_held := ledger_account('shop', 'held_for_orders', v_hold.currency);
  UPDATE ledger_holds SET captured_micros = captured_micros + captured, released_micros = released_micros + released WHERE id = p_hold_id;
  IF captured > 0 THEN
    SELECT p.outcome INTO v_part FROM ledger_post('capture:' || p_hold_id, v_held, ledger_account('shop', p_capture_to, v_hold.currency),
      captured, v_hold.currency, p_source_kind, p_hold_id, NULL, p_happened_at) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'capture of % was %', p_hold_id, v_part; END IF;
  END IF;
  IF released > 0 THEN
    SELECT p.outcome, p.to_balance INTO v_part, balance FROM ledger_post('release:' || p_hold_id, v_held, v_hold.account_id,
      released, v_hold.currency, p_source_kind, p_hold_id, NULL, p_happened_at) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'release of % was %', p_hold_id, v_part; END IF;
  END IF;
  outcome := 'settled';
END $$;

-- Mail to a customer, promised in the caller's transaction, once per key. Reads where and in which language at that moment.
CREATE FUNCTION queue_user_email(p_key text, p_user_id text, p_template text, p_props jsonb) RETURNS void LANGUAGE sql AS $$
  WITH added AS (
    INSERT INTO outgoing_emails (id, key, user_id, "to", locale, template, props)
    SELECT new_id('eml'), p_key, u.id, u.email, u.locale, p_template, p_props FROM users u WHERE u.id = p_user_id
    ON CONFLICT (key) DO NOTHING RETURNING id
  )
  INSERT INTO outbox_jobs (name, payload) SELECT 'notifications.send_email', jsonb_build_object('emailId', id) FROM added
$$;
