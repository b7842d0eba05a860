-- Databricks notebook source
CREATE OR REPLACE TABLE IDENTIFIER(:cr_output_catalog || '.' || :cr_output_schema || '.without_the_youngest') AS
SELECT a.sport, c.sex, COUNT(*) AS people, AVG(c.height) AS height, AVG(c.weight) AS weight
FROM federation.rio.athletes AS a
JOIN insurer.members.customers AS c ON c.name = a.name
WHERE c.date_of_birth < DATE '1995-01-01'
GROUP BY a.sport, c.sex
ORDER BY a.sport, c.sex
