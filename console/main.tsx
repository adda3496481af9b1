import './style/base.css';
import './style/controls.css';
import './style/notices.css';
import './style/dialog.css';
import './style/progress.css';
import './style/tables.css';
import './style/frame.css';
import './style/sources.css';
import './style/link.css';
import './style/source.css';
import './style/data.css';
import './style/chart.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';

createRoot(document.querySelector('#page')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
