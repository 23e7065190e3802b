// Package report makes the page about a run of an experiment: one HTML file that
// needs nothing else, opens from a disk and asks no network for anything.
//
// What a reader must find at once, and what is text or a table, is written by Go:
// the verdict, what was expected, the checks, and the figures behind each chart.
// The page is of use without its script, in print, and to a screen reader. The
// script draws the charts and the timeline, and shows the operations. It works on
// the history file, which the page carries compressed and gives back byte for byte.
//
// Keys, values, errors and names come from whoever wrote the experiment or served
// it, so they are hostile. html/template escapes them; the script makes text nodes
// of them and parses nothing as HTML; and the page's Content-Security-Policy runs
// scripts of known hashes only and loads nothing.
package report
