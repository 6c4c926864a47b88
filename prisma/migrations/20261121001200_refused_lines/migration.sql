-- Which lines of an import were left out, and why: numbers and reasons, never what stood in them.
SET lock_timeout = '5s';
ALTER TABLE stock_imports ADD COLUMN refused jsonb NOT NULL DEFAULT '[]';
