// Sets the chosen theme before anything is painted. Not a module: those run too late.
(function () {
  try {
    const theme = JSON.parse(localStorage.getItem('stator.theme') || '"auto"');
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  } catch { /* without storage the system decides */ }
})();
