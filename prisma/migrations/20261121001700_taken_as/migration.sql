-- A purchase that a supplier accepted and delivers later: the number it gave it, by which it is found again among others like it.
SET lock_timeout = '5s';
ALTER TABLE deliveries ADD COLUMN taken_as text;
