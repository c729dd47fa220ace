-- Two records of the same money: what the bank booked, and what the books say. Run from the root of the repository.

CREATE VIEW bank AS SELECT reference, booked_on, CAST(amount AS DECIMAL(10,2)) AS amount FROM 'data/ledger/bank.csv';
CREATE VIEW books AS SELECT reference, customer, CAST(amount AS DECIMAL(10,2)) AS amount FROM 'data/ledger/books.csv';

-- Every entry that does not agree with the other side. (`reference` is the merged column of USING.)
SELECT reference, customer, bank.amount AS bank, books.amount AS books,
       CASE WHEN bank.amount IS NULL THEN 'not paid'
            WHEN books.amount IS NULL THEN 'not in the books'
            ELSE 'amounts differ by ' || (bank.amount - books.amount) END AS finding
FROM bank FULL JOIN books USING (reference)
WHERE bank.amount IS DISTINCT FROM books.amount
ORDER BY reference, bank;

-- References that one side has more than once: a join multiplies their rows.
SELECT reference, bank.entries AS in_bank, books.entries AS in_books
FROM (SELECT reference, count(*) AS entries FROM bank GROUP BY reference) AS bank
FULL JOIN (SELECT reference, count(*) AS entries FROM books GROUP BY reference) AS books USING (reference)
WHERE bank.entries > 1 OR books.entries > 1
ORDER BY reference;
