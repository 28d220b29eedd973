package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/staffpassport/staffpassport/schema"
)

// maxFile bounds what is read of a record or photo file: a little more than the
// largest valid one, so that the rules and not the reader say what is wrong.
const maxFile = 2 << 20

// A staffRecord is what the employer holds about one member of staff: the facts
// of the passport, the portrait, and how to reach the person.
type staffRecord struct {
	passport *schema.Passport
	photo    *schema.Photo
	ownPhoto bool // which came from a file, and is not the sample's
	card     schema.ContactCard
}

// invalidFiles is everything wrong with a record and a photo.
type invalidFiles []invalidFile

func (e invalidFiles) Error() string { return fmt.Sprintf("%d files cannot be used", len(e)) }

type invalidFile struct {
	what  string // "record" or "photo"
	err   error
	where string // of what is not JSON; may be empty
}

// readStaffFiles reads a record and a portrait; an empty name stands for the
// embedded sample. The error lists everything wrong with both.
func readStaffFiles(recordFile, photoFile string) (staffRecord, error) {
	record, photo := schema.Sample()
	var problems invalidFiles
	if photoFile != "" {
		b, err := readFile(photoFile)
		var own *schema.Photo
		if err == nil {
			own, err = schema.ParsePhoto(b)
		}
		if err != nil { // the record is judged with the sample's photo
			problems = append(problems, invalidFile{what: "photo", err: err})
		} else {
			photo = own
		}
	}
	if recordFile != "" {
		b, err := readFile(recordFile)
		if err == nil {
			record, err = schema.ParseRecord(b, photo)
		}
		if err != nil {
			problems = append(problems, invalidFile{"record", err, notJSON(b)})
		}
	}
	if len(problems) > 0 {
		return staffRecord{}, problems
	}
	ref := photo.Ref()
	record.Personal.Photo = &ref
	return staffRecord{record, photo, photoFile != "", contactCard(record.Personal)}, nil
}

// notJSON says where a file stops being JSON, if encoding/json can tell. It repeats
// nothing of it.
func notJSON(b []byte) string {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(b, []byte(mark)) {
			return "it begins with a byte order mark: save it as UTF-8 without one"
		}
	}
	var any json.RawMessage
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal(b, &any), &syntax) {
		return ""
	}
	before := b[:max(0, min(int64(len(b)), syntax.Offset)-1)]
	return fmt.Sprintf("it stops being JSON in line %d, at byte %d of the line",
		1+bytes.Count(before, []byte("\n")), len(before)-bytes.LastIndexByte(before, '\n'))
}

// contactCard makes up how to reach a person, which a passport does not say.
func contactCard(p *schema.Personal) schema.ContactCard {
	called := p.PreferredName
	if _, ok := called.Get(); !ok {
		called = p.FirstName
	}
	return schema.ContactCard{
		PreferredName: called.Text(), LastName: p.LastName.Text(),
		Mobile: "+447700900123", WorkEmail: "staff@fernhill.example", EmployeeID: "10101010",
	}
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// printRecord writes the sample record, without the photo's reference: the photo
// of a record is the file given beside it.
func printRecord(w io.Writer) error {
	record, _ := schema.Sample()
	record.Personal.Photo = nil
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(record)
}

// explain writes an error for the person at the terminal: the violations of a record
// or a photo one a line, with the place and the rule and never the value.
func explain(w io.Writer, err error) {
	var files invalidFiles
	if !errors.As(err, &files) {
		fmt.Fprintln(w, "agent:", err)
		return
	}
	for _, f := range files {
		var invalid *schema.ValidationError
		if !errors.As(f.err, &invalid) {
			fmt.Fprintf(w, "agent: %s: %v\n", f.what, f.err)
			continue
		}
		many := "violations"
		if len(invalid.Violations) == 1 {
			many = "violation"
		}
		fmt.Fprintf(w, "agent: the %s cannot be issued, %d %s:\n", f.what, len(invalid.Violations), many)
		for _, v := range invalid.Violations {
			at := string(v.At)
			if at == "" {
				at = f.what
			}
			fmt.Fprintf(w, "  %s: %s (%s)\n", at, v.Message, v.Rule)
		}
		if f.where != "" {
			fmt.Fprintf(w, "  %s: %s\n", f.what, f.where)
		}
	}
}
