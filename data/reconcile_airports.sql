-- All flights that left New York City in 2013, against the list of airports. Run from the root of the repository.

CREATE VIEW flights AS SELECT * FROM 'data/nycflights13/flights.parquet';
CREATE VIEW airports AS SELECT * FROM 'data/nycflights13/airports.parquet';

-- How the two agree, in one pass: what pairs, and what each side has alone.
SELECT count(*) AS rows,
       count(*) FILTER (WHERE f.dest IS NULL) AS airports_without_a_flight,
       count(*) FILTER (WHERE a.faa IS NULL) AS flights_without_an_airport
FROM flights AS f FULL JOIN airports AS a ON f.dest = a.faa;

-- Destinations that are no known airport.
SELECT f.dest, count(*) AS flights
FROM flights AS f FULL JOIN airports AS a ON f.dest = a.faa
WHERE a.faa IS NULL
GROUP BY f.dest
ORDER BY flights DESC;

-- Airports that no flight goes to: the first ten of them.
SELECT a.faa, a.name
FROM flights AS f FULL JOIN airports AS a ON f.dest = a.faa
WHERE f.dest IS NULL
ORDER BY a.faa
LIMIT 10;

-- And the plan.
EXPLAIN
SELECT count(*), count(f.dest), count(a.faa)
FROM flights AS f FULL JOIN airports AS a ON f.dest = a.faa;

-- A condition in WHERE can make a FULL JOIN one-sided: rows without a flight have no month. The plan says LEFT.
EXPLAIN
SELECT a.name, count(*) AS flights
FROM flights AS f FULL JOIN airports AS a ON f.dest = a.faa
WHERE f.month = 12
GROUP BY a.name
ORDER BY flights DESC
LIMIT 5;
