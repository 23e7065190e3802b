package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/card"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
	"github.com/stator-db/stator/cmd/phonebook/internal/sample"
)

// generateCommand fills the book.
type generateCommand struct {
	storeFlags `embed:""`
	Count      int    `arg:"" default:"1000" help:"How many contacts."`
	Seed       uint64 `default:"1" help:"The same seed makes the same contacts."`
}

// Run adds the contacts that are not there yet.
func (c *generateCommand) Run(p *process) error {
	if c.Count < 0 {
		return usageError(fmt.Sprintf("%d contacts: the number cannot be negative", c.Count))
	}
	return fill(p, c.storeFlags, sample.New(c.Count, c.Seed))
}

// importCommand imports a file, without the limits of an upload.
type importCommand struct {
	storeFlags `embed:""`
	File       string `arg:"" help:"File to import; its name ends with .vcf or .csv."`
}

// Run imports the file.
func (c *importCommand) Run(p *process) error {
	format, err := formatOf(c.File)
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	source, err := card.NewReader(format, file)
	if err != nil {
		return err
	}
	return fill(p, c.storeFlags, source)
}

// exportCommand writes all contacts to a file.
type exportCommand struct {
	storeFlags `embed:""`
	File       string `arg:"" help:"File to write; its name ends with .vcf or .csv. An existing file is replaced."`
}

// Run writes the file beside its place and then moves it there, so that it is whole.
func (c *exportCommand) Run(p *process) (err error) {
	format, err := formatOf(c.File)
	if err != nil {
		return err
	}
	s, err := c.open(p.ctx, newLogger(p.stderr), false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	file, err := os.CreateTemp(filepath.Dir(c.File), ".phonebook-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails once it has moved
	count, err := export(p, s.book, format, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), c.File); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%d contacts in %s\n", count, c.File)
	return nil
}

func export(p *process, b *book.Book, format string, w io.Writer) (count int, err error) {
	out, err := card.NewWriter(format, w)
	if err != nil {
		return 0, err
	}
	err = b.Export(p.ctx, func(c contact.Contact) error {
		count++
		return out.Write(c)
	})
	if err != nil {
		return count, err
	}
	return count, out.Flush()
}

func formatOf(file string) (string, error) {
	for _, format := range []string{card.VCard, card.CSV} {
		if strings.EqualFold(filepath.Ext(file), card.Extension(format)) {
			return format, nil
		}
	}
	return "", usageError(fmt.Sprintf("%s: the name ends with neither .vcf nor .csv", file))
}

// reportPeriod is how often the terminal shows how far an import has come.
const reportPeriod = 500 * time.Millisecond

// fill imports a source and shows its progress.
func fill(p *process, f storeFlags, source book.Source) (err error) {
	s, err := f.open(p.ctx, newLogger(p.stderr), false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	file, isFile := p.stderr.(*os.File)
	terminal := isFile && isatty.IsTerminal(file.Fd())
	start, shown := time.Now(), time.Now()
	result, err := s.book.Import(p.ctx, contact.NewID(), source, func(now book.Progress) {
		if terminal && time.Since(shown) >= reportPeriod && now.State == book.ImportRunning {
			shown = time.Now()
			fmt.Fprintf(p.stderr, "\r%d read, %d added", now.Read, now.Added)
		}
	})
	if terminal {
		fmt.Fprint(p.stderr, "\r\x1b[K") // erases the line
	}
	for _, problem := range result.Problems {
		fmt.Fprintln(p.stderr, problem)
	}
	fmt.Fprintf(p.stdout, "%d contacts added, %d were there, %d brought back, %d refused, in %s\n",
		result.Added, result.Present, result.Restored, result.Refused, time.Since(start).Round(time.Millisecond))
	return err
}
