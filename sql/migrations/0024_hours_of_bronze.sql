-- Rows of bronze by hour of reception: what flushes add to one hour of one date is one row, whose column file is ''. The comparison of
-- the ledger and the builds of silver_ledger read it instead of a row for each file. Rows of files from before stay as they are until
-- their date is folded.
CREATE TRIGGER bronze_file_hours_inputs_update AFTER UPDATE OF rows ON bronze_file_hours WHEN NEW.file = '' AND NEW.rows <> OLD.rows BEGIN
  INSERT INTO input_changes VALUES ('silver_ledger', substr(NEW.hour, 1, 10));
END;
