package sqlitestore

import (
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/wallet"
)

const (
	// applicationID marks the file as a wallet: "SPwt".
	applicationID = 0x53507774

	// schemaVersion is the version of the tables below, kept as user_version.
	schemaVersion = 1
)

// schema returns the statements that make the tables. record keeps the order of rows
// in seq and repeats the row's tags, each after its length, so that replacing a row
// finds the entries of tag to remove.
func schema() []string {
	return []string{
		`CREATE TABLE record (
			seq    INTEGER PRIMARY KEY,
			kind   BLOB NOT NULL,
			id     BLOB NOT NULL,
			sealed BLOB NOT NULL,
			tags   BLOB NOT NULL
		)`,
		`CREATE UNIQUE INDEX record_id ON record (kind, id)`,
		`CREATE INDEX record_kind ON record (kind)`, // ends with seq, as every index does
		`CREATE TABLE tag (
			kind BLOB NOT NULL,
			tag  BLOB NOT NULL,
			seq  INTEGER NOT NULL,
			PRIMARY KEY (kind, tag, seq)
		) WITHOUT ROWID`,
		fmt.Sprintf(`PRAGMA application_id = %d`, applicationID),
		fmt.Sprintf(`PRAGMA user_version = %d`, schemaVersion),
	}
}

var errForeign = errors.New("the file is a database, but not a wallet")

// checkOwner looks at the file before anything is written to it, and reports whether
// it is empty.
func (c *conn) checkOwner() (empty bool, err error) {
	var id, version, tables int64
	for _, q := range []struct {
		into  *int64
		query string
	}{
		{&id, `PRAGMA application_id`},
		{&version, `PRAGMA user_version`},
		{&tables, `SELECT count(*) FROM sqlite_schema`},
	} {
		if *q.into, err = c.integer(q.query); err != nil {
			return false, err
		}
	}
	switch {
	case id == 0 && version == 0 && tables == 0:
		return true, nil
	case id != applicationID:
		return false, errForeign
	case version > schemaVersion:
		return false, wallet.ErrVersion
	case version != schemaVersion:
		return false, fmt.Errorf("unknown schema version %d", version)
	}
	return false, nil
}

// create makes the tables, all or none.
func (c *conn) create() error {
	statements := append([]string{`BEGIN IMMEDIATE`}, schema()...)
	for _, s := range append(statements, `COMMIT`) {
		if err := c.run(s); err != nil {
			return err
		}
	}
	return nil
}
