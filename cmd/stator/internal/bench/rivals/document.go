package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// updateDocument replaces a block of a Markdown file: what stands between the lines
// "<!-- begin NAME -->" and "<!-- end NAME -->". The rest of the file is written by
// hand and stays as it is.
func updateDocument(file, name, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	updated, err := replaceBlock(string(old), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(updated), 0o644)
}

func replaceBlock(document, name, text string) (string, error) {
	begin, end := fmt.Sprintf("<!-- begin %s -->\n", name), fmt.Sprintf("<!-- end %s -->\n", name)
	before, rest, found := strings.Cut(document, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("no block %q", name)
	}
	return before + begin + "\n" + text + "\n" + end + after, nil
}

// written says when a block was written and by which command.
func written(command string) string {
	return fmt.Sprintf("Written by `%s` on %s.\n\n", command, time.Now().UTC().Format(time.DateOnly))
}
