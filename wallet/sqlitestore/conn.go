package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// A conn is one connection with its statements prepared. It is used by one goroutine
// at a time. Statements run without a context: each takes microseconds, and a context
// would cost the driver a goroutine for each.
type conn struct {
	raw driver.Conn
	all []driver.Stmt

	begin, beginImmediate, commit, rollback driver.StmtExecContext
	insert, update, remove, tag, untag      driver.StmtExecContext
	first, get, find, findTag, place        driver.StmtQueryContext

	healthy bool // false once a transaction could not be ended
}

// openWriter opens the connection for Updates, and makes the tables in an empty file.
func openWriter(path string) (_ *conn, err error) {
	c, err := connect(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	empty, err := c.checkOwner()
	if err != nil {
		return nil, err
	}
	if err := narrow(path); err != nil {
		return nil, err
	}
	if mode, err := c.scalar(`PRAGMA journal_mode = WAL`); err != nil || mode != "wal" {
		return nil, errors.Join(fmt.Errorf("journal mode is %v instead of wal", mode), err)
	}
	if empty {
		if err := c.create(); err != nil {
			return nil, err
		}
	}
	return c, c.prepare()
}

// openReader opens a connection for Views.
func openReader(path string) (*conn, error) {
	c, err := connect(path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.run(`PRAGMA query_only = ON`), c.prepare()); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// pragmas returns what each connection is set to:
//
//   - synchronous=FULL: a commit returns when the log is on the disk; fullfsync asks
//     macOS to mean it
//   - secure_delete: what is deleted is overwritten
//   - temp_store=MEMORY: no temporary files
//   - trusted_schema=OFF, cell_size_check: distrust of a file somebody else wrote
func pragmas() []string {
	return []string{
		"busy_timeout=5000",
		"synchronous=FULL",
		"fullfsync=ON",
		"checkpoint_fullfsync=ON",
		"secure_delete=ON",
		"temp_store=MEMORY",
		"trusted_schema=OFF",
		"cell_size_check=ON",
	}
}

func connect(path string) (*conn, error) {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	if !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path // C:/x becomes file:///C:/x
	}
	u.RawQuery = url.Values{"mode": {"rw"}, "_pragma": pragmas()}.Encode()
	raw, err := new(sqlite.Driver).Open(u.String())
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, healthy: true}, nil
}

func (c *conn) prepare() error {
	for _, s := range []struct {
		into  *driver.StmtExecContext
		query string
	}{
		{&c.begin, `BEGIN`},
		{&c.beginImmediate, `BEGIN IMMEDIATE`},
		{&c.commit, `COMMIT`},
		{&c.rollback, `ROLLBACK`},
		{&c.insert, `INSERT INTO record (seq, kind, id, sealed, tags) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (kind, id) DO NOTHING`},
		{&c.update, `UPDATE record SET sealed = ?, tags = ? WHERE seq = ?`},
		{&c.remove, `DELETE FROM record WHERE seq = ?`},
		{&c.tag, `INSERT INTO tag (kind, tag, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`},
		{&c.untag, `DELETE FROM tag WHERE kind = ? AND tag = ? AND seq = ?`},
	} {
		if err := prepare(c, s.query, s.into); err != nil {
			return err
		}
	}
	for _, s := range []struct {
		into  *driver.StmtQueryContext
		query string
	}{
		{&c.first, `SELECT seq FROM record LIMIT 1`},
		{&c.get, `SELECT sealed FROM record WHERE kind = ? AND id = ?`},
		{&c.place, `SELECT seq, tags FROM record WHERE kind = ? AND id = ?`},
		{&c.find, `SELECT seq, id, sealed FROM record INDEXED BY record_kind
			WHERE kind = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`},
		{&c.findTag, `SELECT r.seq, r.id, r.sealed FROM tag t CROSS JOIN record r ON r.seq = t.seq
			WHERE t.kind = ? AND t.tag = ? AND t.seq > ? AND t.seq <= ? ORDER BY t.seq LIMIT ?`},
	} {
		if err := prepare(c, s.query, s.into); err != nil {
			return err
		}
	}
	return nil
}

// prepare fills into with the prepared statement, which the driver gives under a type
// that says less than it can do: S is driver.StmtExecContext or StmtQueryContext.
func prepare[S any](c *conn, query string, into *S) error {
	stmt, err := c.raw.Prepare(query)
	if err != nil {
		return err
	}
	c.all = append(c.all, stmt)
	s, ok := stmt.(S)
	if !ok {
		return fmt.Errorf("driver statement of type %T", stmt)
	}
	*into = s
	return nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.all {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// beginView begins a transaction and reads something, which fixes what it sees.
func (c *conn) beginView() error {
	if err := c.exec(c.begin); err != nil {
		return err
	}
	if err := c.query(c.first, 1, func([]driver.Value) error { return nil }); err != nil {
		c.end()
		return err
	}
	return nil
}

// end leaves the transaction without keeping what it wrote.
func (c *conn) end() {
	if c.exec(c.rollback) != nil {
		c.healthy = false
	}
}

func (c *conn) exec(s driver.StmtExecContext, args ...driver.Value) error {
	_, err := s.ExecContext(context.Background(), named(args))
	return err
}

// query calls f with each row. The values belong to f.
func (c *conn) query(s driver.StmtQueryContext, columns int, f func([]driver.Value) error, args ...driver.Value) (err error) {
	rows, err := s.QueryContext(context.Background(), named(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, columns)
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// run executes a statement once.
func (c *conn) run(query string) error {
	var s driver.StmtExecContext
	n := len(c.all)
	defer c.forget(n)
	if err := prepare(c, query, &s); err != nil {
		return err
	}
	return c.exec(s)
}

// scalar executes a query once and returns the first column of its first row.
func (c *conn) scalar(query string) (v driver.Value, err error) {
	var s driver.StmtQueryContext
	defer c.forget(len(c.all))
	if err := prepare(c, query, &s); err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(context.Background(), nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(row); err != nil {
		return nil, err
	}
	return row[0], nil
}

// integer is scalar for a column of integers.
func (c *conn) integer(query string) (int64, error) {
	v, err := c.scalar(query)
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	if !ok {
		return 0, errColumn
	}
	return n, nil
}

// forget closes the statements after the first n.
func (c *conn) forget(n int) {
	for _, s := range c.all[n:] {
		_ = s.Close() // its error is that of the execution
	}
	c.all = c.all[:n]
}

func (c *conn) lastSeq() (int64, error) {
	return c.integer(`SELECT coalesce(max(seq), 0) FROM record`)
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return out
}
