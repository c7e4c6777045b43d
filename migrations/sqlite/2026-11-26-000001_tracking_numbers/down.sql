DROP TABLE seller_carriers;
DROP TABLE number_doubts;
DROP TABLE number_corrections;
ALTER TABLE shipments DROP COLUMN declared_carrier;
ALTER TABLE shipments DROP COLUMN formats_version;
ALTER TABLE shipments DROP COLUMN number_code;
ALTER TABLE shipments DROP COLUMN number_validity;
