<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="es" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>ChatDesk found no display, and no window of it is open.</source>
        <translation>ChatDesk no encontró ninguna pantalla, y ninguna de sus ventanas está abierta.</translation>
    </message>
    <message>
        <source>Nothing was opened or changed.</source>
        <translation>No se abrió ni se cambió nada.</translation>
    </message>
    <message>
        <source>Run this in a desktop session, or set DISPLAY or WAYLAND_DISPLAY.</source>
        <translation>Ejecútalo en una sesión de escritorio, o define DISPLAY o WAYLAND_DISPLAY.</translation>
    </message>
    <message>
        <source>No display was found, so ChatDesk plays one turn without a window.</source>
        <translation>No se encontró ninguna pantalla, así que ChatDesk hace un turno sin ventana.</translation>
    </message>
    <message>
        <source>ask a question and print the answer as it comes</source>
        <translation>hace una pregunta y muestra la respuesta según llega</translation>
    </message>
    <message>
        <source>the question; - reads it from stdin</source>
        <translation>la pregunta; - la lee de stdin</translation>
    </message>
    <message>
        <source>what to do with tool calls: ask (at a terminal), deny, or what to allow: SERVER for all tools of a server and SERVER/TOOL for one; may be repeated</source>
        <translation>qué hacer con las llamadas a herramientas: ask (preguntar en una terminal), deny (denegar), o lo que se permite: SERVER para todas las herramientas de un servidor y SERVER/TOOL para una; se puede repetir</translation>
    </message>
    <message>
        <source>An imported system prompt is sent with the question.</source>
        <translation>Con la pregunta se envía un prompt de sistema importado.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with the question.</source>
        <translation>{name} cambió el prompt de sistema; se envía con la pregunta.</translation>
    </message>
    <message>
        <source>Trying again in {seconds} s.</source>
        <translation>Nuevo intento en {seconds} s.</translation>
    </message>
    <message>
        <source>The question waits, {count} before it; Ctrl+C cancels.</source>
        <translation>La pregunta está en espera, con {count} por delante; Ctrl+C la cancela.</translation>
    </message>
    <message>
        <source>continue this thread (the start of its id is enough)</source>
        <translation>continúa esta conversación (basta el principio de su identificador)</translation>
    </message>
    <message>
        <source>ask another version of this question; the old one is kept</source>
        <translation>hace otra versión de esta pregunta; la antigua se conserva</translation>
    </message>
    <message>
        <source>start a new thread (the default)</source>
        <translation>empieza una conversación nueva (lo predeterminado)</translation>
    </message>
    <message>
        <source>model to ask</source>
        <translation>modelo al que se pregunta</translation>
    </message>
    <message>
        <source>id of the provider to ask (&apos;chatdesk providers&apos; lists them)</source>
        <translation>identificador del proveedor al que se pregunta (&apos;chatdesk providers&apos; los muestra)</translation>
    </message>
    <message>
        <source>assistant from the library to ask</source>
        <translation>asistente de la biblioteca al que se pregunta</translation>
    </message>
    <message>
        <source>file to attach; may be repeated</source>
        <translation>archivo que se adjunta; se puede repetir</translation>
    </message>
    <message>
        <source>tool servers that the model may use, separated by commas, or none</source>
        <translation>servidores de herramientas que el modelo puede usar, separados por comas, o none para ninguno</translation>
    </message>
    <message>
        <source>print one JSON object per line: start, text, ..., finish</source>
        <translation>muestra un objeto JSON por línea: start, text, ..., finish</translation>
    </message>
    <message>
        <source>ChatDesk keeps trying to save the answer for a while; Ctrl+C stops it.</source>
        <translation>ChatDesk sigue intentando guardar la respuesta durante un rato; Ctrl+C lo detiene.</translation>
    </message>
    <message>
        <source>The answer was not finished. What had arrived is kept.</source>
        <translation>La respuesta no se completó. Lo que había llegado se conserva.</translation>
    </message>
    <message>
        <source>how the attached texts are encoded, such as windows-1251</source>
        <translation>codificación de los textos adjuntos, por ejemplo windows-1251</translation>
    </message>
    <message>
        <source>“{name}” may be in one of several encodings: {found}.</source>
        <translation>«{name}» puede estar en una de varias codificaciones: {found}.</translation>
    </message>
    <message>
        <source>Name the right one with --encoding.</source>
        <translation>Indica la correcta con --encoding.</translation>
    </message>
    <message>
        <source>“{name}” is no text in the encoding {encoding}.</source>
        <translation>«{name}» no es un texto en la codificación {encoding}.</translation>
    </message>
    <message>
        <source>Name the encoding in which it was written, such as windows-1251 or shift_jis.</source>
        <translation>Indica la codificación en la que se escribió, por ejemplo windows-1251 o shift_jis.</translation>
    </message>
    <message>
        <source>{server}: {problem}</source>
        <translation>{server}: {problem}</translation>
    </message>
    <message>
        <source>{name}: {problem}</source>
        <translation>{name}: {problem}</translation>
    </message>
    <message>
        <source>{server} offers: {names}.</source>
        <translation>{server} ofrece: {names}.</translation>
    </message>
    <message>
        <source>It lists no tools.</source>
        <translation>No anuncia ninguna herramienta.</translation>
    </message>
    <message>
        <source>It is switched off: chatdesk tools on {server} switches it on.</source>
        <translation>Está desactivado: chatdesk tools on {server} lo activa.</translation>
    </message>
    <message>
        <source>It is for the threads of a project with a folder: see chatdesk tools folder.</source>
        <translation>Es para las conversaciones de un proyecto con carpeta: consulta chatdesk tools folder.</translation>
    </message>
    <message>
        <source>It was not asked for its tools.</source>
        <translation>No se consultaron sus herramientas.</translation>
    </message>
    <message>
        <source>Answer in the window.</source>
        <translation>Responde en la ventana.</translation>
    </message>
    <message>
        <source>{words} It is allowed with --approve {name}.</source>
        <translation>{words} Se permite con --approve {name}.</translation>
    </message>
    <message>
        <source>It was allowed.</source>
        <translation>Se permitió.</translation>
    </message>
    <message>
        <source>It was denied.</source>
        <translation>Se denegó.</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server} with</source>
        <translation>El modelo quiere llamar a {tool} de {server} con</translation>
    </message>
    <message>
        <source>Allow it?</source>
        <translation>¿Permitirlo?</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server}. {words}</source>
        <translation>El modelo quiere llamar a {tool} de {server}. {words}</translation>
    </message>
    <message>
        <source>It was denied: nobody can be asked here (see --approve).</source>
        <translation>Se denegó: aquí no se puede preguntar a nadie (consulta --approve).</translation>
    </message>
    <message>
        <source>A ChatDesk window is open and answers this question, so --tools and --approve cannot be used.</source>
        <translation>Hay una ventana de ChatDesk abierta que responde a esta pregunta, así que no se pueden usar --tools ni --approve.</translation>
    </message>
    <message>
        <source>The question was not sent.</source>
        <translation>La pregunta no se envió.</translation>
    </message>
    <message>
        <source>Choose the tools in the window, or close it.</source>
        <translation>Elige las herramientas en la ventana o ciérrala.</translation>
    </message>
    <message>
        <source>There is no tool server {first}.</source>
        <translation>No hay ningún servidor de herramientas {first}.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk tools list&apos;.</source>
        <translation>Consulta &apos;chatdesk tools list&apos;.</translation>
    </message>
    <message>
        <source>There is no tool server {name}: --approve allows nothing by this name.</source>
        <translation>No hay ningún servidor de herramientas {name}: --approve no permite nada con ese nombre.</translation>
    </message>
    <message>
        <source>{name} has several meanings: {names}.</source>
        <translation>{name} tiene varios significados: {names}.</translation>
    </message>
    <message>
        <source>Give each tool server a name of its own, or use its id (&apos;chatdesk tools list&apos;).</source>
        <translation>Dale a cada servidor de herramientas un nombre propio, o usa su identificador (&apos;chatdesk tools list&apos;).</translation>
    </message>
    <message>
        <source>There are several assistants called {name}.</source>
        <translation>Hay varios asistentes llamados {name}.</translation>
    </message>
    <message>
        <source>There is no assistant called {name}.</source>
        <translation>No hay ningún asistente llamado {name}.</translation>
    </message>
    <message>
        <source>There are: {names}.</source>
        <translation>Hay: {names}.</translation>
    </message>
    <message>
        <source>none</source>
        <translation>ninguno</translation>
    </message>
    <message>
        <source>write threads as Markdown, JSON, HTML or PDF</source>
        <translation>escribe conversaciones como Markdown, JSON, HTML o PDF</translation>
    </message>
    <message>
        <source>all threads of this project (its name or id)</source>
        <translation>todas las conversaciones de este proyecto (su nombre o identificador)</translation>
    </message>
    <message>
        <source>make a backup now</source>
        <translation>hace una copia de seguridad ahora</translation>
    </message>
    <message>
        <source>have the same chats on your own computers, through a folder</source>
        <translation>tiene los mismos chats en tus propios dispositivos, mediante una carpeta</translation>
    </message>
    <message>
        <source>an empty folder that something carries to your other computers</source>
        <translation>una carpeta vacía que algo lleva a tus otros dispositivos</translation>
    </message>
    <message>
        <source>begin with the first computer, and print the recovery phrase once</source>
        <translation>empieza con el primer dispositivo y muestra una sola vez la frase de recuperación</translation>
    </message>
    <message>
        <source>join with a further computer, or again with a restored one</source>
        <translation>une otro dispositivo, o de nuevo uno restaurado</translation>
    </message>
    <message>
        <source>the same folder as on the other computers</source>
        <translation>la misma carpeta que en los otros dispositivos</translation>
    </message>
    <message>
        <source>read the recovery phrase from FILE; else it is asked for</source>
        <translation>lee la frase de recuperación de FILE; si no, se pregunta</translation>
    </message>
    <message>
        <source>do not ask</source>
        <translation>no pregunta</translation>
    </message>
    <message>
        <source>write what is new here into the folder, and read what others wrote</source>
        <translation>escribe en la carpeta lo nuevo de aquí y lee lo que escribieron los demás</translation>
    </message>
    <message>
        <source>remove a computer, such as a lost one, and make a new recovery phrase</source>
        <translation>quita un dispositivo, como uno perdido, y crea una nueva frase de recuperación</translation>
    </message>
    <message>
        <source>the name or id of the computer</source>
        <translation>el nombre o el identificador del dispositivo</translation>
    </message>
    <message>
        <source>wait at most this long ({seconds})</source>
        <translation>espera como máximo este tiempo ({seconds})</translation>
    </message>
    <message>
        <source>bring everything back on an empty profile, with the recovery phrase</source>
        <translation>recupera todo en un perfil vacío, con la frase de recuperación</translation>
    </message>
    <message>
        <source>show your computers, and what waits</source>
        <translation>muestra tus dispositivos y lo que está pendiente</translation>
    </message>
    <message>
        <source>stop reading and writing the folder, until &apos;resume&apos;</source>
        <translation>deja de leer y escribir en la carpeta, hasta &apos;resume&apos;</translation>
    </message>
    <message>
        <source>read and write the folder again</source>
        <translation>vuelve a leer y escribir en la carpeta</translation>
    </message>
    <message>
        <source>forget the folder; everything stays on this computer</source>
        <translation>olvida la carpeta; todo se queda en este dispositivo</translation>
    </message>
    <message>
        <source>A folder has a name.</source>
        <translation>Una carpeta tiene un nombre.</translation>
    </message>
    <message>
        <source>Name one that others carry.</source>
        <translation>Indica una que llegue a tus otros dispositivos.</translation>
    </message>
    <message>
        <source>This is no folder.</source>
        <translation>No es una carpeta.</translation>
    </message>
    <message>
        <source>The file with the recovery phrase cannot be read: {reason}.</source>
        <translation>No se puede leer el archivo de la frase de recuperación: {reason}.</translation>
    </message>
    <message>
        <source>A computer has a name.</source>
        <translation>Un dispositivo tiene un nombre.</translation>
    </message>
    <message>
        <source>It keeps your computers in step by itself. Close it to do this here.</source>
        <translation>Ya sincroniza tus dispositivos por sí solo. Ciérralo para hacerlo aquí.</translation>
    </message>
    <message>
        <source>This is your recovery phrase. Write it down: your other computers need it, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>Esta es tu frase de recuperación. Anótala: tus otros dispositivos la necesitan, y solo con ella recuperas tus chats. Quien tenga la frase y la carpeta puede leerlo todo. No se vuelve a mostrar.</translation>
    </message>
    <message>
        <source>Recovery phrase: </source>
        <translation>Frase de recuperación: </translation>
    </message>
    <message>
        <source>The folder has {size} and is used by: {computers}.</source>
        <translation>La carpeta ocupa {size} y la usan: {computers}.</translation>
    </message>
    <message>
        <source>Bring everything here?</source>
        <translation>¿Traerlo todo aquí?</translation>
    </message>
    <message>
        <source>Merge the chats of this computer with theirs?</source>
        <translation>¿Combinar los chats de este dispositivo con los suyos?</translation>
    </message>
    <message>
        <source>Remove {name}? Your other computers then need the new recovery phrase, which is shown. {name} keeps, and can read, everything that it had, and gets nothing new.</source>
        <translation>¿Quitar {name}? Tus otros dispositivos necesitarán entonces la nueva frase de recuperación, que se mostrará. {name} conserva todo lo que tenía, puede leerlo y no recibe nada nuevo.</translation>
    </message>
    <message>
        <source>{name} was removed. Join again with the new phrase on your other computers.</source>
        <translation>{name} se quitó. Vuelve a unirte con la nueva frase en tus otros dispositivos.</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written there.</source>
        <translation>En pausa: allí no se lee ni se escribe nada.</translation>
    </message>
    <message>
        <source>Your computers are kept in step again.</source>
        <translation>Tus dispositivos vuelven a sincronizarse.</translation>
    </message>
    <message>
        <source>{name} (this one)</source>
        <translation>{name} (este)</translation>
    </message>
    <message>
        <source>{computer}, last here {moment}</source>
        <translation>{computer}, visto aquí por última vez: {moment}</translation>
    </message>
    <message numerus="yes">
        <source>{count} files of it have not arrived yet</source>
        <comment>{count} file of it has not arrived yet</comment>
        <translation>
            <numerusform>{count} archivo suyo aún no ha llegado</numerusform>
            <numerusform>{count} archivos suyos aún no han llegado</numerusform>
        </translation>
    </message>
    <message>
        <source>the folder has older files of it than before</source>
        <translation>la carpeta tiene archivos suyos más antiguos que antes</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes are not in the folder yet. Your other computers do not get them.</source>
        <comment>{count} change is not in the folder yet. Your other computers do not get it.</comment>
        <translation>
            <numerusform>{count} cambio aún no está en la carpeta. Tus otros dispositivos no lo reciben.</numerusform>
            <numerusform>{count} cambios aún no están en la carpeta. Tus otros dispositivos no los reciben.</numerusform>
        </translation>
    </message>
    <message>
        <source>Forget the folder {folder}? Its projects stay here as private ones.</source>
        <translation>¿Olvidar la carpeta {folder}? Sus proyectos se quedan aquí como privados.</translation>
    </message>
    <message>
        <source>This computer has left {folder}. The files there stay for your other computers, and nobody can read them without the recovery phrase. With it you can join again.</source>
        <translation>Este dispositivo ha salido de {folder}. Los archivos se quedan allí para tus otros dispositivos, y nadie puede leerlos sin la frase de recuperación. Con ella puedes volver a unirte.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers sync&apos; continues.</source>
        <translation>&apos;chatdesk computers sync&apos; continúa.</translation>
    </message>
    <message>
        <source>Join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>Vuelve a unirte con la frase de recuperación: &apos;chatdesk computers join&apos;.</translation>
    </message>
    <message>
        <source>Everything is in the folder, and everything in the folder is here.</source>
        <translation>Todo está en la carpeta, y todo lo de la carpeta está aquí.</translation>
    </message>
    <message>
        <source>Attached files are on their way.</source>
        <translation>Los archivos adjuntos están en camino.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files in the folder are incomplete, or were changed. What they bring waits.</source>
        <comment>{count} file in the folder is incomplete, or was changed. What it brings waits.</comment>
        <translation>
            <numerusform>{count} archivo de la carpeta está incompleto o se modificó. Lo que trae queda pendiente.</numerusform>
            <numerusform>{count} archivos de la carpeta están incompletos o se modificaron. Lo que traen queda pendiente.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is at {path}.</source>
        <translation>Está en {path}.</translation>
    </message>
    <message>
        <source>This format needs a file or folder to write to.</source>
        <translation>Este formato necesita un archivo o una carpeta donde escribir.</translation>
    </message>
    <message>
        <source>Give one with --output.</source>
        <translation>Indica uno con --output.</translation>
    </message>
    <message>
        <source>Choose threads, a project, or everything, but not two of them.</source>
        <translation>Elige conversaciones, un proyecto o todo, pero no dos cosas a la vez.</translation>
    </message>
    <message>
        <source>Leave one of them out.</source>
        <translation>Omite una de ellas.</translation>
    </message>
    <message>
        <source>Nothing to export was named.</source>
        <translation>No se indicó nada que exportar.</translation>
    </message>
    <message>
        <source>Give a thread, --project NAME or --all.</source>
        <translation>Indica una conversación, --project NAME o --all.</translation>
    </message>
    <message>
        <source>id of the thread, or the start of it</source>
        <translation>identificador de la conversación, o su principio</translation>
    </message>
    <message>
        <source>everything</source>
        <translation>todo</translation>
    </message>
    <message>
        <source>include the trash</source>
        <translation>incluye la papelera</translation>
    </message>
    <message>
        <source>file to write (with json, a .zip includes the attachments), or a folder for several threads</source>
        <translation>archivo que se escribe (con json, un .zip incluye los adjuntos), o una carpeta para varias conversaciones</translation>
    </message>
    <message>
        <source>zip file to write, with the database and all attachments</source>
        <translation>archivo zip que se escribe, con la base de datos y todos los adjuntos</translation>
    </message>
    <message>
        <source>replace the database with a backup</source>
        <translation>sustituye la base de datos por una copia de seguridad</translation>
    </message>
    <message>
        <source>path of the backup, or its name in the backup directory</source>
        <translation>ruta de la copia de seguridad, o su nombre en la carpeta de copias</translation>
    </message>
    <message>
        <source>list the backups, newest first</source>
        <translation>muestra las copias de seguridad, la más reciente primero</translation>
    </message>
    <message>
        <source>an attachment was left out: {sentence}</source>
        <translation>se omitió un adjunto: {sentence}</translation>
    </message>
    <message>
        <source>A window is open on this data directory, and it makes the regular backups.</source>
        <translation>Hay una ventana abierta en esta carpeta de datos, y ella hace las copias periódicas.</translation>
    </message>
    <message>
        <source>Use Settings, Data and backup, Back up now; or give a FILE.</source>
        <translation>Usa Ajustes, Datos y copias, Hacer copia ahora; o indica un FILE.</translation>
    </message>
    <message>
        <source>Close the window, or choose another --data-dir.</source>
        <translation>Cierra la ventana o elige otro --data-dir.</translation>
    </message>
    <message>
        <source>Replace the current database with it? The current one is kept.</source>
        <translation>¿Sustituir con ella la base de datos actual? La actual se conserva.</translation>
    </message>
    <message>
        <source>No backup was named.</source>
        <translation>No se indicó ninguna copia de seguridad.</translation>
    </message>
    <message>
        <source>&apos;chatdesk restore --list&apos; lists them.</source>
        <translation>&apos;chatdesk restore --list&apos; las muestra.</translation>
    </message>
    <message>
        <source>nothing was changed</source>
        <translation>no se cambió nada</translation>
    </message>
    <message>
        <source>The backup was restored.</source>
        <translation>La copia de seguridad se restauró.</translation>
    </message>
    <message>
        <source>The database as it was before is kept at {kept}.</source>
        <translation>La base de datos como estaba antes se conserva en {kept}.</translation>
    </message>
    <message>
        <source>{file}, made {time}</source>
        <translation>{file}, hecha {time}</translation>
    </message>
    <message>
        <source>Threads: {threads}, messages: {messages}, schema version {schema}</source>
        <translation>Conversaciones: {threads}, mensajes: {messages}, versión de esquema {schema}</translation>
    </message>
    <message>
        <source>Close the window, or use Settings, Data and backup, Repair in it.</source>
        <translation>Cierra la ventana, o usa en ella Ajustes, Datos y copias, Reparar.</translation>
    </message>
    <message>
        <source>The database could not be upgraded as it was, so a copy of it was repaired and upgraded.</source>
        <translation>La base de datos no se pudo actualizar tal como estaba, así que se reparó y actualizó una copia.</translation>
    </message>
    <message>
        <source>The database was damaged; what could be read was copied into a new one.</source>
        <translation>La base de datos estaba dañada; lo que se pudo leer se copió a una nueva.</translation>
    </message>
    <message>
        <source>The damaged one is kept at {kept}. Compare with &apos;chatdesk restore --list&apos;: a backup may hold more.</source>
        <translation>La dañada se conserva en {kept}. Compara con &apos;chatdesk restore --list&apos;: una copia de seguridad puede contener más.</translation>
    </message>
    <message>
        <source>fill a data directory with made-up threads</source>
        <translation>llena una carpeta de datos con conversaciones inventadas</translation>
    </message>
    <message>
        <source>make about N messages in total (500)</source>
        <translation>crea unos N mensajes en total (500)</translation>
    </message>
    <message>
        <source>seed for the made-up texts; another number makes other texts (1)</source>
        <translation>semilla de los textos inventados; otro número crea otros textos (1)</translation>
    </message>
    <message>
        <source>add them even if there are threads already</source>
        <translation>las añade aunque ya haya conversaciones</translation>
    </message>
    <message>
        <source>At most {most_messages} messages can be made at once.</source>
        <translation>Se pueden crear como máximo {most_messages} mensajes a la vez.</translation>
    </message>
    <message>
        <source>Choose fewer.</source>
        <translation>Elige menos.</translation>
    </message>
    <message>
        <source>ChatDesk is open on this data directory.</source>
        <translation>ChatDesk está abierto en esta carpeta de datos.</translation>
    </message>
    <message>
        <source>Close it, or choose another one.</source>
        <translation>Ciérralo o elige otra.</translation>
    </message>
    <message>
        <source>There are threads in this data directory already ({count}).</source>
        <translation>Ya hay conversaciones en esta carpeta de datos ({count}).</translation>
    </message>
    <message>
        <source>Choose an empty one with --data-dir, or give --add to put the made-up ones among them.</source>
        <translation>Elige una vacía con --data-dir, o usa --add para poner las inventadas entre ellas.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads</source>
        <comment>{count} thread</comment>
        <translation>
            <numerusform>{count} conversación</numerusform>
            <numerusform>{count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages</source>
        <comment>{count} message</comment>
        <translation>
            <numerusform>{count} mensaje</numerusform>
            <numerusform>{count} mensajes</numerusform>
        </translation>
    </message>
    <message>
        <source>Made {threads} with {messages}.</source>
        <translation>Creado: {threads} con {messages}.</translation>
    </message>
    <message>
        <source>written to {file}; look through it before you send it</source>
        <translation>escrito en {file}; revísalo antes de enviarlo</translation>
    </message>
    <message>
        <source>This process may open only {limit} files at once, and ChatDesk needs at least {needed}.</source>
        <translation>Este proceso solo puede abrir {limit} archivos a la vez, y ChatDesk necesita al menos {needed}.</translation>
    </message>
    <message>
        <source>Raise the limit (ulimit -n 256), then try again.</source>
        <translation>Sube el límite (ulimit -n 256) e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another with --data-dir.</source>
        <translation>Comprueba su propietario y sus permisos, o elige otra con --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} is a file.</source>
        <translation>No se puede usar la carpeta de datos: {file} es un archivo.</translation>
    </message>
    <message>
        <source>Choose a directory with --data-dir.</source>
        <translation>Elige una carpeta con --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: The disk of {directory} is full.</source>
        <translation>No se puede usar la carpeta de datos: el disco de {directory} está lleno.</translation>
    </message>
    <message>
        <source>Free some space, or choose another with --data-dir.</source>
        <translation>Libera espacio o elige otra con --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} may not be opened or made by this user.</source>
        <translation>No se puede usar la carpeta de datos: este usuario no puede abrir ni crear {file}.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {reason}: {file}.</source>
        <translation>No se puede usar la carpeta de datos: {reason}: {file}.</translation>
    </message>
    <message>
        <source>Nothing was changed.</source>
        <translation>No se cambió nada.</translation>
    </message>
    <message>
        <source>This process may not open more files at once.</source>
        <translation>Este proceso no puede abrir más archivos a la vez.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged.</source>
        <translation>Lo guardado antes no ha cambiado.</translation>
    </message>
    <message>
        <source>The system gives this process no more memory or threads.</source>
        <translation>El sistema no da a este proceso más memoria ni hilos.</translation>
    </message>
    <message>
        <source>Close other programs or raise the limits (ulimit), then try again.</source>
        <translation>Cierra otros programas o sube los límites (ulimit) e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>put the threads into this project (by default one named after the program)</source>
        <translation>pone las conversaciones en este proyecto (si no, en uno con el nombre del programa)</translation>
    </message>
    <message>
        <source>import an export of ChatDesk or of another program</source>
        <translation>importa una exportación de ChatDesk o de otro programa</translation>
    </message>
    <message>
        <source>export of another program: a zip, JSON, JSON Lines or CSV file, or a folder</source>
        <translation>exportación de otro programa: un archivo zip, JSON, JSON Lines o CSV, o una carpeta</translation>
    </message>
    <message>
        <source>remember the facts that ChatGPT or Claude remembered, too</source>
        <translation>recuerda también los datos que recordaban ChatGPT o Claude</translation>
    </message>
    <message>
        <source>only report what would be imported</source>
        <translation>solo informa de lo que se importaría</translation>
    </message>
    <message>
        <source>print the report as JSON</source>
        <translation>muestra el informe como JSON</translation>
    </message>
    <message>
        <source>Import the file in its window, or close it first.</source>
        <translation>Importa el archivo en su ventana o ciérrala primero.</translation>
    </message>
    <message numerus="yes">
        <source>{percent} %  {count} threads</source>
        <comment>{percent} %  {count} thread</comment>
        <translation>
            <numerusform>{percent} %  {count} conversación</numerusform>
            <numerusform>{percent} %  {count} conversaciones</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the files, so that a search finds what is in them…</source>
        <translation>Leyendo los archivos, para que una búsqueda encuentre lo que contienen…</translation>
    </message>
    <message>
        <source>Memory: {text}</source>
        <translation>Recuerdo: {text}</translation>
    </message>
    <message>
        <source>--memories keeps them, and they are sent to the providers that you allow.</source>
        <translation>--memories los conserva, y se envían a los proveedores que permitas.</translation>
    </message>
    <message>
        <source>Memory is off. Once it is on, --memories keeps them, for the providers that you allow.</source>
        <translation>La memoria está desactivada. Cuando esté activada, --memories los conserva para los proveedores que permitas.</translation>
    </message>
    <message>
        <source>check the database, the paths and the providers</source>
        <translation>comprueba la base de datos, las rutas y los proveedores</translation>
    </message>
    <message>
        <source>answer from your own files</source>
        <translation>responde a partir de tus propios archivos</translation>
    </message>
    <message>
        <source>add a folder, a file or a web page, and read it</source>
        <translation>añade una carpeta, un archivo o una página web y lo lee</translation>
    </message>
    <message>
        <source>list what a project has, and how far it is read</source>
        <translation>muestra lo que tiene un proyecto y cuánto se ha leído</translation>
    </message>
    <message>
        <source>find the passages that fit a question</source>
        <translation>busca los fragmentos que corresponden a una pregunta</translation>
    </message>
    <message>
        <source>try questions with the file that should be found</source>
        <translation>prueba preguntas con el archivo que se debería encontrar</translation>
    </message>
    <message>
        <source>forget a folder, file or page</source>
        <translation>olvida una carpeta, un archivo o una página</translation>
    </message>
    <message>
        <source>choose what the team of a shared project gets of it</source>
        <translation>elige qué recibe de ello el equipo de un proyecto compartido</translation>
    </message>
    <message>
        <source>choose what makes the vectors for finding by meaning</source>
        <translation>elige qué calcula los vectores de la búsqueda por significado</translation>
    </message>
    <message>
        <source>list the providers that get the files, or never do</source>
        <translation>muestra los proveedores que reciben los archivos y los que nunca los reciben</translation>
    </message>
    <message>
        <source>folder, file, or address of a web page</source>
        <translation>carpeta, archivo o dirección de una página web</translation>
    </message>
    <message>
        <source>leave out what a line of a .gitignore would</source>
        <translation>omite lo que omitiría una línea de un .gitignore</translation>
    </message>
    <message>
        <source>read it though its name looks like that of a secret</source>
        <translation>lo lee aunque su nombre parezca el de un secreto</translation>
    </message>
    <message>
        <source>what you want to know</source>
        <translation>lo que quieres saber</translation>
    </message>
    <message>
        <source>at most N passages (8)</source>
        <translation>como máximo N fragmentos (8)</translation>
    </message>
    <message>
        <source>JSON list of objects with a question and a file; - reads stdin; without it, the kept questions</source>
        <translation>lista JSON de objetos con una pregunta (question) y un archivo (file); - la lee de stdin; sin ella, las preguntas guardadas</translation>
    </message>
    <message>
        <source>keep those of FILE, and try all that are kept</source>
        <translation>guarda las de FILE y prueba todas las guardadas</translation>
    </message>
    <message>
        <source>nothing, its name, or the text of its files too</source>
        <translation>nada, su nombre o también el texto de sus archivos</translation>
    </message>
    <message>
        <source>a model for embeddings of one of your providers</source>
        <translation>un modelo de embeddings de uno de tus proveedores</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk, without a network</source>
        <translation>los vectores que trae ChatDesk, sin red</translation>
    </message>
    <message>
        <source>with --model: do it, after its cost was told</source>
        <translation>con --model: lo hace, después de indicar lo que cuesta</translation>
    </message>
    <message>
        <source>never send the files of the project to it</source>
        <translation>nunca le envía los archivos del proyecto</translation>
    </message>
    <message>
        <source>send them again</source>
        <translation>vuelve a enviarlos</translation>
    </message>
    <message>
        <source>its id or place, as listed</source>
        <translation>su identificador o lugar, como en la lista</translation>
    </message>
    <message>
        <source>as JSON</source>
        <translation>como JSON</translation>
    </message>
    <message>
        <source>The question is empty.</source>
        <translation>La pregunta está vacía.</translation>
    </message>
    <message>
        <source>There is no file of questions to keep.</source>
        <translation>No hay un archivo de preguntas que guardar.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep.</source>
        <translation>Indica un archivo FILE con --keep.</translation>
    </message>
    <message>
        <source>“{file}” is no JSON list of objects with a question and a file.</source>
        <translation>«{file}» no es una lista JSON de objetos con una pregunta (question) y un archivo (file).</translation>
    </message>
    <message>
        <source>Write: {example}</source>
        <translation>Escribe: {example}</translation>
    </message>
    <message>
        <source>“{model}” is no provider and model.</source>
        <translation>«{model}» no es un proveedor y un modelo.</translation>
    </message>
    <message>
        <source>--yes belongs to --model.</source>
        <translation>--yes va con --model.</translation>
    </message>
    <message>
        <source>ChatDesk is open and reads the files of projects.</source>
        <translation>ChatDesk está abierto y lee los archivos de los proyectos.</translation>
    </message>
    <message>
        <source>Change them in the window, in the project&apos;s Files, or close ChatDesk first.</source>
        <translation>Cámbialos en la ventana, en «Archivos del proyecto», o cierra ChatDesk primero.</translation>
    </message>
    <message>
        <source>looks like a secret, not read</source>
        <translation>parece un secreto, no leído</translation>
    </message>
    <message>
        <source>, page {page}</source>
        <translation>, página {page}</translation>
    </message>
    <message>
        <source>No questions are kept for this project.</source>
        <translation>No hay preguntas guardadas para este proyecto.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep, or add some in the window, in the project&apos;s Files.</source>
        <translation>Indica un archivo FILE con --keep, o añade preguntas en la ventana, en los archivos del proyecto.</translation>
    </message>
    <message>
        <source>{hits} of {total} among the first five</source>
        <translation>{hits} de {total} entre los cinco primeros</translation>
    </message>
    <message>
        <source>The project has no such folder, file or page.</source>
        <translation>El proyecto no tiene esa carpeta, archivo o página.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk knowledge list&apos;.</source>
        <translation>Consulta &apos;chatdesk knowledge list&apos;.</translation>
    </message>
    <message>
        <source>There is no provider “{provider}”.</source>
        <translation>No hay ningún proveedor «{provider}».</translation>
    </message>
    <message>
        <source>See &apos;chatdesk providers list&apos;.</source>
        <translation>Consulta &apos;chatdesk providers list&apos;.</translation>
    </message>
    <message>
        <source>gets the files</source>
        <translation>recibe los archivos</translation>
    </message>
    <message>
        <source>Nothing was sent or changed. Add --yes to do it.</source>
        <translation>No se envió ni se cambió nada. Añade --yes para hacerlo.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files read</source>
        <comment>{count} file read</comment>
        <translation>
            <numerusform>{count} archivo leído</numerusform>
            <numerusform>{count} archivos leídos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} to be read</source>
        <comment>{count} to be read</comment>
        <translation>
            <numerusform>{count} por leer</numerusform>
            <numerusform>{count} por leer</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} cannot be read</source>
        <comment>{count} cannot be read</comment>
        <translation>
            <numerusform>{count} no se puede leer</numerusform>
            <numerusform>{count} no se pueden leer</numerusform>
        </translation>
    </message>
    <message>
        <source>paused</source>
        <translation>en pausa</translation>
    </message>
    <message>
        <source>keep all data in DIR (or set CHATDESK_DATA_DIR)</source>
        <translation>guarda todos los datos en DIR (o define CHATDESK_DATA_DIR)</translation>
    </message>
    <message>
        <source>write more to the log, and to stderr too</source>
        <translation>escribe más en el registro, y también en stderr</translation>
    </message>
    <message>
        <source>Chat with language models. Without a command, the window opens.</source>
        <translation>Chatea con modelos de lenguaje. Sin ningún comando, se abre la ventana.</translation>
    </message>
    <message>
        <source>also write a zip to attach to a bug report</source>
        <translation>escribe además un zip para adjuntarlo a un informe de error</translation>
    </message>
    <message>
        <source>repair the database, keeping a copy of it</source>
        <translation>repara la base de datos y conserva una copia</translation>
    </message>
    <message>
        <source>The output could not be written: {reason}.</source>
        <translation>No se pudo escribir la salida: {reason}.</translation>
    </message>
    <message>
        <source>unrecognized arguments: {unknown}</source>
        <translation>argumentos no reconocidos: {unknown}</translation>
    </message>
    <message>
        <source>Something unexpected happened: {title}. Your messages are kept.</source>
        <translation>Ocurrió algo inesperado: {title}. Tus mensajes se conservan.</translation>
    </message>
    <message>
        <source>A report is in {path}.</source>
        <translation>Hay un informe en {path}.</translation>
    </message>
    <message>
        <source>let an editor or assistant read threads (MCP, stdio)</source>
        <translation>permite que un editor o asistente lea conversaciones (MCP, stdio)</translation>
    </message>
    <message>
        <source>also allow ask, write (drafts), or ask,write</source>
        <translation>permite también ask, write (borradores), o ask,write</translation>
    </message>
    <message>
        <source>it must be ask, write, or ask,write</source>
        <translation>debe ser ask, write o ask,write</translation>
    </message>
    <message>
        <source>Give the id of a thread, a link that begins with chatdesk://, or the path of a file.</source>
        <translation>Indica el identificador de una conversación, un enlace que empiece por chatdesk://, o la ruta de un archivo.</translation>
    </message>
    <message>
        <source>“{target}” is neither a thread, a link nor a file that is there.</source>
        <translation>«{target}» no es ni una conversación, ni un enlace, ni un archivo existente.</translation>
    </message>
    <message>
        <source>show a thread, a link or a file in the window</source>
        <translation>muestra una conversación, un enlace o un archivo en la ventana</translation>
    </message>
    <message>
        <source>the id of a thread, a link (chatdesk://…), an export of chats or an invitation</source>
        <translation>el identificador de una conversación, un enlace (chatdesk://…), una exportación de chats o una invitación</translation>
    </message>
    <message>
        <source>start a new thread, as the launcher&apos;s menu does</source>
        <translation>empieza una conversación nueva, como el menú del lanzador</translation>
    </message>
    <message>
        <source>open the search, as the launcher&apos;s menu does</source>
        <translation>abre la búsqueda, como el menú del lanzador</translation>
    </message>
    <message>
        <source>open the field for a quick question (to bind to a key)</source>
        <translation>abre el campo para una pregunta rápida (para asignarlo a una tecla)</translation>
    </message>
    <message>
        <source>key from {variable}</source>
        <translation>clave de {variable}</translation>
    </message>
    <message>
        <source>key in the keyring</source>
        <translation>clave en el llavero</translation>
    </message>
    <message>
        <source>key in the encrypted file</source>
        <translation>clave en el archivo cifrado</translation>
    </message>
    <message>
        <source>key for this run</source>
        <translation>clave para esta ejecución</translation>
    </message>
    <message>
        <source>no key</source>
        <translation>sin clave</translation>
    </message>
    <message>
        <source>key withheld</source>
        <translation>clave retenida</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>omitido</translation>
    </message>
    <message>
        <source>list the providers that are set up</source>
        <translation>muestra los proveedores configurados</translation>
    </message>
    <message>
        <source>test each of them, step by step</source>
        <translation>prueba cada uno de ellos, paso a paso</translation>
    </message>
    <message>
        <source>allow this provider&apos;s key to be sent to its current server</source>
        <translation>permite enviar la clave de este proveedor a su servidor actual</translation>
    </message>
    <message>
        <source>No key of {provider} is waiting for your agreement.</source>
        <translation>Ninguna clave de {provider} espera tu consentimiento.</translation>
    </message>
    <message>
        <source>with --agree: do not ask</source>
        <translation>con --agree: no pregunta</translation>
    </message>
    <message>
        <source>a JSON array</source>
        <translation>un array JSON</translation>
    </message>
    <message>
        <source>Offline demo</source>
        <translation>Demostración sin conexión</translation>
    </message>
    <message>
        <source>Agreed: the key of {provider} goes to {server}.</source>
        <translation>Aceptado: la clave de {provider} se envía a {server}.</translation>
    </message>
    <message>
        <source>Offline demo, without network</source>
        <translation>Demostración sin conexión, sin red</translation>
    </message>
    <message>
        <source>switched off</source>
        <translation>desactivado</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>Mensajes</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Conversaciones</translation>
    </message>
    <message>
        <source>Projects</source>
        <translation>Proyectos</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>Etiquetas</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Archivos</translation>
    </message>
    <message>
        <source>search messages, threads, projects, tags and files</source>
        <translation>busca mensajes, conversaciones, proyectos, etiquetas y archivos</translation>
    </message>
    <message>
        <source>words, &quot;phrases&quot;, begin*, -not, tag:, before:, …</source>
        <translation>palabras, &quot;frases&quot;, principio*, -no, tag:, before:, …</translation>
    </message>
    <message>
        <source>at most N hits of each kind (20)</source>
        <translation>como máximo N resultados de cada tipo (20)</translation>
    </message>
    <message>
        <source>a JSON array of groups</source>
        <translation>un array JSON de grupos</translation>
    </message>
    <message>
        <source>{kind} (more than {count})</source>
        <translation>{kind} (más de {count})</translation>
    </message>
    <message>
        <source>{kind} ({count})</source>
        <translation>{kind} ({count})</translation>
    </message>
    <message>
        <source>Nothing was found.</source>
        <translation>No se encontró nada.</translation>
    </message>
    <message>
        <source>Indexing: {percent} %</source>
        <translation>Indexando: {percent} %</translation>
    </message>
    <message>
        <source>read, write, ask, admin or remote (read)</source>
        <translation>read, write, ask, admin o remote (read)</translation>
    </message>
    <message>
        <source>expire after N days</source>
        <translation>caduca tras N días</translation>
    </message>
    <message>
        <source>at most N requests a minute</source>
        <translation>como máximo N peticiones por minuto</translation>
    </message>
    <message>
        <source>serve other programs on this computer until Ctrl+C</source>
        <translation>atiende a otros programas de este dispositivo hasta Ctrl+C</translation>
    </message>
    <message>
        <source>port to listen on; 0 means any free port</source>
        <translation>puerto en el que se escucha; 0 significa cualquiera que esté libre</translation>
    </message>
    <message>
        <source>make, list and revoke tokens for other programs</source>
        <translation>crea, muestra y revoca tokens para otros programas</translation>
    </message>
    <message>
        <source>make a token and print it; it is not shown again</source>
        <translation>crea un token y lo muestra por única vez</translation>
    </message>
    <message>
        <source>name of the program that will use it</source>
        <translation>nombre del programa que lo usará</translation>
    </message>
    <message>
        <source>allow access to this project only</source>
        <translation>permite acceder solo a este proyecto</translation>
    </message>
    <message>
        <source>use at most N model tokens a minute</source>
        <translation>usa como máximo N tokens de modelos por minuto</translation>
    </message>
    <message>
        <source>spend at most USD dollars a day</source>
        <translation>gasta como máximo USD dólares al día</translation>
    </message>
    <message>
        <source>write the token to this file instead of printing it</source>
        <translation>escribe el token en este archivo en vez de mostrarlo</translation>
    </message>
    <message>
        <source>list the tokens, without their secret texts</source>
        <translation>muestra los tokens, sin sus textos secretos</translation>
    </message>
    <message>
        <source>revoke a token and end what is being done with it</source>
        <translation>revoca un token y termina lo que se esté haciendo con él</translation>
    </message>
    <message>
        <source>its name or id</source>
        <translation>su nombre o identificador</translation>
    </message>
    <message>
        <source>Listening on {url}</source>
        <translation>Escuchando en {url}</translation>
    </message>
    <message>
        <source>Listening on {socket}</source>
        <translation>Escuchando en {socket}</translation>
    </message>
    <message>
        <source>The token “{name}”, which is shown only now:</source>
        <translation>El token «{name}», que solo se muestra ahora:</translation>
    </message>
    <message>
        <source>The token “{name}” is revoked.</source>
        <translation>El token «{name}» está revocado.</translation>
    </message>
    <message>
        <source>never used</source>
        <translation>nunca usado</translation>
    </message>
    <message>
        <source>used {time}</source>
        <translation>usado {time}</translation>
    </message>
    <message>
        <source>until {time}</source>
        <translation>hasta {time}</translation>
    </message>
    <message>
        <source>There are no tokens.</source>
        <translation>No hay tokens.</translation>
    </message>
    <message>
        <source>it must be a number from 0 to 65535</source>
        <translation>debe ser un número entre 0 y 65535</translation>
    </message>
    <message>
        <source>it must be a number above 0 and below 1,000,000</source>
        <translation>debe ser un número mayor que 0 y menor que 1.000.000</translation>
    </message>
    <message>
        <source>share projects through a team&apos;s database</source>
        <translation>comparte proyectos mediante la base de datos de un equipo</translation>
    </message>
    <message>
        <source>Use Settings, Team sync in its window, or close it first.</source>
        <translation>Usa Ajustes, Sincronización del equipo en su ventana, o ciérrala primero.</translation>
    </message>
    <message>
        <source>this profile is in no workspace</source>
        <translation>este perfil no está en ningún espacio de trabajo</translation>
    </message>
    <message>
        <source>owner</source>
        <translation>propietario</translation>
    </message>
    <message>
        <source>show the state of this profile&apos;s workspaces, and what was refused</source>
        <translation>muestra el estado de los espacios de trabajo de este perfil, y lo que se rechazó</translation>
    </message>
    <message>
        <source>check a server before making a workspace, or what the server of one has lost</source>
        <translation>comprueba un servidor antes de crear un espacio de trabajo, o lo que ha perdido el servidor de uno</translation>
    </message>
    <message>
        <source>show or set who may invite and share in a workspace, and its limits</source>
        <translation>muestra o fija quién puede invitar y compartir en un espacio de trabajo, y sus límites</translation>
    </message>
    <message>
        <source>what an owner of the workspace sets</source>
        <translation>lo que fija un propietario del espacio de trabajo</translation>
    </message>
    <message>
        <source>parked: this profile was restored, repaired or copied, and is not connected</source>
        <translation>apartado: este perfil se restauró, se reparó o se copió y no está conectado</translation>
    </message>
    <message>
        <source>&apos;chatdesk team join&apos; connects again</source>
        <translation>&apos;chatdesk team join&apos; vuelve a conectar</translation>
    </message>
    <message>
        <source>member</source>
        <translation>miembro</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared</source>
        <comment>{count} shared</comment>
        <translation>
            <numerusform>{count} compartido</numerusform>
            <numerusform>{count} compartidos</numerusform>
        </translation>
    </message>
    <message>
        <source>{waiting} waiting, {refused} refused</source>
        <translation>{waiting} en espera, {refused} rechazados</translation>
    </message>
    <message>
        <source>The window lets it go on without them: Settings, Team sync, Details.</source>
        <translation>La ventana permite continuar sin ellos: Ajustes, Sincronización del equipo, Detalles.</translation>
    </message>
    <message numerus="yes">
        <source>{number} projects</source>
        <comment>{number} project</comment>
        <translation>
            <numerusform>{number} proyecto</numerusform>
            <numerusform>{number} proyectos</numerusform>
        </translation>
    </message>
    <message>
        <source>list the members, as the server has them now</source>
        <translation>muestra los miembros tal como están ahora en el servidor</translation>
    </message>
    <message>
        <source>name or id of the workspace, if there are several</source>
        <translation>nombre o identificador del espacio de trabajo, si hay varios</translation>
    </message>
    <message>
        <source>wait for the server at most this long ({seconds})</source>
        <translation>espera al servidor como máximo este tiempo ({seconds})</translation>
    </message>
    <message>
        <source>Only owners erase a project.</source>
        <translation>Solo los propietarios pueden borrar un proyecto.</translation>
    </message>
    <message>
        <source>“{name}” is erased.</source>
        <translation>Se borró «{name}».</translation>
    </message>
    <message>
        <source>There is no such workspace in this profile.</source>
        <translation>No existe ese espacio de trabajo en este perfil.</translation>
    </message>
    <message>
        <source>&apos;chatdesk team status&apos; lists them.</source>
        <translation>&apos;chatdesk team status&apos; los muestra.</translation>
    </message>
    <message>
        <source>There are several workspaces.</source>
        <translation>Hay varios espacios de trabajo.</translation>
    </message>
    <message>
        <source>Name one by its id; &apos;chatdesk team status&apos; lists them.</source>
        <translation>Indica uno por su identificador; &apos;chatdesk team status&apos; los muestra.</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys: </source>
        <translation>Frase de contraseña del archivo de claves: </translation>
    </message>
    <message>
        <source>There is no keyring here. New passphrase for an encrypted file of keys: </source>
        <translation>Aquí no hay llavero. Nueva frase de contraseña para un archivo de claves cifrado: </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait</source>
        <comment>{count} change waits</comment>
        <translation>
            <numerusform>{count} cambio pendiente</numerusform>
            <numerusform>{count} cambios pendientes</numerusform>
        </translation>
    </message>
    <message>
        <source>No passphrase was given.</source>
        <translation>No se indicó ninguna frase de contraseña.</translation>
    </message>
    <message>
        <source>Type it when you are asked, give it as the next line of stdin, or set {variable}.</source>
        <translation>Escríbela cuando se te pida, pásala en la siguiente línea de la entrada estándar o define {variable}.</translation>
    </message>
    <message>
        <source>make a workspace in an empty database</source>
        <translation>crea un espacio de trabajo en una base de datos vacía</translation>
    </message>
    <message>
        <source>name of the workspace</source>
        <translation>nombre del espacio de trabajo</translation>
    </message>
    <message>
        <source>your name, as the others see it</source>
        <translation>tu nombre, como lo ven los demás</translation>
    </message>
    <message>
        <source>print an invitation</source>
        <translation>muestra una invitación</translation>
    </message>
    <message>
        <source>name of the person</source>
        <translation>nombre de la persona</translation>
    </message>
    <message>
        <source>valid for N days (7)</source>
        <translation>válida N días (7)</translation>
    </message>
    <message>
        <source>stop being a member, on all computers</source>
        <translation>deja de ser miembro, en todos los dispositivos</translation>
    </message>
    <message>
        <source>upgrade the database of a workspace</source>
        <translation>actualiza la base de datos de un espacio de trabajo</translation>
    </message>
    <message>
        <source>the login that set the database up</source>
        <translation>el usuario con el que se preparó la base de datos</translation>
    </message>
    <message>
        <source>read a password and print the form in which Postgres stores it</source>
        <translation>lee una contraseña y muestra la forma en que la guarda Postgres</translation>
    </message>
    <message>
        <source>The workspace {name} was made. You are its owner.</source>
        <translation>Se creó el espacio de trabajo {name}. Eres su propietario.</translation>
    </message>
    <message>
        <source>The invitation is in {file}. Anyone who has it can join.</source>
        <translation>La invitación está en {file}. Quien la tenga puede unirse.</translation>
    </message>
    <message>
        <source>Passphrase: </source>
        <translation>Frase de contraseña: </translation>
    </message>
    <message>
        <source>You are in the workspace {name} now.</source>
        <translation>Ahora estás en el espacio de trabajo {name}.</translation>
    </message>
    <message>
        <source>Leave {name}? Its projects stay here as private copies.</source>
        <translation>¿Salir de {name}? Sus proyectos se quedan aquí como copias privadas.</translation>
    </message>
    <message>
        <source>You left {name}.</source>
        <translation>Saliste de {name}.</translation>
    </message>
    <message>
        <source>Connect to {name}, the database {database} on {host}:{port}?</source>
        <translation>¿Conectar con {name}, la base de datos {database} en {host}:{port}?</translation>
    </message>
    <message>
        <source>You are in {name} again.</source>
        <translation>Estás de nuevo en {name}.</translation>
    </message>
    <message>
        <source>shared project, and the role in it: viewer, editor, admin or owner; may be repeated</source>
        <translation>proyecto compartido y el rol en él: viewer, editor, admin u owner; se puede repetir</translation>
    </message>
    <message>
        <source>write the invitation to this file instead of printing it</source>
        <translation>escribe la invitación en este archivo en vez de mostrarla</translation>
    </message>
    <message>
        <source>join with an invitation, or with a code from another computer of yours</source>
        <translation>une este perfil a un equipo con una invitación, o con un código de otro dispositivo tuyo</translation>
    </message>
    <message>
        <source>accept a server without encryption</source>
        <translation>acepta un servidor sin cifrado</translation>
    </message>
    <message>
        <source>stop syncing; everything stays on this computer</source>
        <translation>deja de sincronizar; todo se queda en este dispositivo</translation>
    </message>
    <message>
        <source>print a code for another computer of yours</source>
        <translation>muestra un código para otro dispositivo tuyo</translation>
    </message>
    <message>
        <source>write the code to this file instead of printing it</source>
        <translation>escribe el código en este archivo en vez de mostrarlo</translation>
    </message>
    <message>
        <source>login that owns the database and may create roles</source>
        <translation>cuenta que es dueña de la base de datos y puede crear roles</translation>
    </message>
    <message>
        <source>address of the server, as postgresql://login@host:5432/database</source>
        <translation>dirección del servidor, como postgresql://login@host:5432/database</translation>
    </message>
    <message>
        <source>file with the invitation or the code; - reads it from stdin. Without it, a parked team is joined again</source>
        <translation>archivo con la invitación o el código; - lo lee de stdin. Sin él, se vuelve a entrar en un equipo apartado</translation>
    </message>
    <message>
        <source>name or IP address of the server, instead of --url</source>
        <translation>nombre o dirección IP del servidor, en lugar de --url</translation>
    </message>
    <message>
        <source>name of the database</source>
        <translation>nombre de la base de datos</translation>
    </message>
    <message>
        <source>certificate of the server&apos;s authority, if it is a private one</source>
        <translation>certificado de la autoridad del servidor, si es privada</translation>
    </message>
    <message>
        <source>connect without encryption; only for a network of your own</source>
        <translation>conecta sin cifrado; solo para una red propia</translation>
    </message>
    <message>
        <source>for {name}; it works once, and anyone who has it can join</source>
        <translation>para {name}; solo sirve una vez, y quien la tenga puede unirse</translation>
    </message>
    <message>
        <source>its passphrase is {passphrase}; both are valid for a day</source>
        <translation>su frase de contraseña es {passphrase}; ambas valen un día</translation>
    </message>
    <message>
        <source>The database of {name} is up to date.</source>
        <translation>La base de datos de {name} está al día.</translation>
    </message>
    <message>
        <source>Password of {user}: </source>
        <translation>Contraseña de {user}: </translation>
    </message>
    <message>
        <source>Password: </source>
        <translation>Contraseña: </translation>
    </message>
    <message>
        <source>The others see you as {name}.</source>
        <translation>Los demás te ven como {name}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared projects are called “{name}”.</source>
        <comment>{count} shared project is called “{name}”.</comment>
        <translation>
            <numerusform>{count} proyecto compartido se llama «{name}».</numerusform>
            <numerusform>{count} proyectos compartidos se llaman «{name}».</numerusform>
        </translation>
    </message>
    <message>
        <source>No shared project is called “{name}”.</source>
        <translation>Ningún proyecto compartido se llama «{name}».</translation>
    </message>
    <message>
        <source>Nobody was invited.</source>
        <translation>No se invitó a nadie.</translation>
    </message>
    <message>
        <source>Share it first (&apos;chatdesk team share&apos;), or give its id.</source>
        <translation>Compártelo primero (&apos;chatdesk team share&apos;) o indica su identificador.</translation>
    </message>
    <message>
        <source>“{given}” is not a limit with its value.</source>
        <translation>«{given}» no es un límite con su valor.</translation>
    </message>
    <message>
        <source>Use NAME=VALUE with one of these names: {names}.</source>
        <translation>Usa NOMBRE=VALOR con uno de estos nombres: {names}.</translation>
    </message>
    <message>
        <source>“{role}” is not a role.</source>
        <translation>«{role}» no es un rol.</translation>
    </message>
    <message>
        <source>Use viewer, editor, admin or owner.</source>
        <translation>Usa viewer, editor, admin u owner.</translation>
    </message>
    <message>
        <source>Do not put a password into the arguments: everybody on this computer can see them.</source>
        <translation>No pongas una contraseña en los argumentos: cualquiera que use este dispositivo puede verlos.</translation>
    </message>
    <message>
        <source>Nothing was sent.</source>
        <translation>No se envió nada.</translation>
    </message>
    <message>
        <source>Change that password, since others may have seen it, and give the new one on stdin or in {variable}.</source>
        <translation>Cambia esa contraseña, porque otros pueden haberla visto, y pasa la nueva por stdin o en {variable}.</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form.</source>
        <translation>{name} no es un certificado en formato PEM.</translation>
    </message>
    <message>
        <source>{path}: {reason}.</source>
        <translation>{path}: {reason}.</translation>
    </message>
    <message>
        <source>Check the name of the file.</source>
        <translation>Comprueba el nombre del archivo.</translation>
    </message>
    <message>
        <source>share a project with a workspace</source>
        <translation>comparte un proyecto con un espacio de trabajo</translation>
    </message>
    <message>
        <source>send waiting changes and fetch those of others</source>
        <translation>envía los cambios pendientes y trae los de otros</translation>
    </message>
    <message>
        <source>Share “{project}” ({threads}, {messages}) with {workspace}? What is sent cannot be taken back from those who have read it.</source>
        <translation>¿Compartir «{project}» ({threads}, {messages}) con {workspace}? Lo que se envía no se puede retirar a quienes lo han leído.</translation>
    </message>
    <message>
        <source>“{name}” is the project into which new threads go: what you ask from now on without naming another project is shared, too.</source>
        <translation>«{name}» es el proyecto al que van las conversaciones nuevas: lo que preguntes desde ahora sin indicar otro proyecto también se comparte.</translation>
    </message>
    <message>
        <source>“{project}” is shared with {workspace}.</source>
        <translation>«{project}» está compartido con {workspace}.</translation>
    </message>
    <message>
        <source>This is a private copy.</source>
        <translation>Esto es una copia privada.</translation>
    </message>
    <message>
        <source>is up to date</source>
        <translation>está al día</translation>
    </message>
    <message>
        <source>{state}, {count} refused (&apos;chatdesk team status&apos; lists them)</source>
        <translation>{state}, {count} rechazados (&apos;chatdesk team status&apos; los muestra)</translation>
    </message>
    <message>
        <source>{workspace}: {state}.</source>
        <translation>{workspace}: {state}.</translation>
    </message>
    <message>
        <source>The team has not got it yet: {problem} It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>Aún no ha llegado al equipo: {problem} Espera aquí; &apos;chatdesk team sync&apos; lo envía.</translation>
    </message>
    <message>
        <source>The team has not got it yet. It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>Aún no ha llegado al equipo. Espera aquí; &apos;chatdesk team sync&apos; lo envía.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here.</source>
        <comment>{count} change waits here.</comment>
        <translation>
            <numerusform>Hay {count} cambio pendiente aquí.</numerusform>
            <numerusform>Hay {count} cambios pendientes aquí.</numerusform>
        </translation>
    </message>
    <message>
        <source>&apos;chatdesk team sync&apos; continues.</source>
        <translation>&apos;chatdesk team sync&apos; continúa.</translation>
    </message>
    <message>
        <source>This project is not shared.</source>
        <translation>Este proyecto no está compartido.</translation>
    </message>
    <message>
        <source>list projects, or make one</source>
        <translation>muestra los proyectos, o crea uno</translation>
    </message>
    <message>
        <source>make a project and print its id</source>
        <translation>crea un proyecto y muestra su identificador</translation>
    </message>
    <message>
        <source>name of the project</source>
        <translation>nombre del proyecto</translation>
    </message>
    <message>
        <source>list threads, latest first</source>
        <translation>muestra las conversaciones, la más reciente primero</translation>
    </message>
    <message>
        <source>list archived threads</source>
        <translation>muestra las conversaciones archivadas</translation>
    </message>
    <message>
        <source>list threads in the trash</source>
        <translation>muestra las conversaciones de la papelera</translation>
    </message>
    <message>
        <source>list threads of this project</source>
        <translation>muestra las conversaciones de este proyecto</translation>
    </message>
    <message>
        <source>list threads with this tag</source>
        <translation>muestra las conversaciones con esta etiqueta</translation>
    </message>
    <message>
        <source>at most N threads (50)</source>
        <translation>como máximo N conversaciones (50)</translation>
    </message>
    <message>
        <source>print a thread</source>
        <translation>muestra una conversación</translation>
    </message>
    <message>
        <source>(archived)</source>
        <translation>(archivada)</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the projects.</source>
        <translation>ChatDesk está abierto y gestiona los proyectos.</translation>
    </message>
    <message>
        <source>Make the project there, or close ChatDesk first.</source>
        <translation>Crea el proyecto allí o cierra ChatDesk primero.</translation>
    </message>
    <message>
        <source>There is no tag “{tag}”.</source>
        <translation>No hay ninguna etiqueta «{tag}».</translation>
    </message>
    <message>
        <source>Check its name in the window.</source>
        <translation>Comprueba su nombre en la ventana.</translation>
    </message>
    <message>
        <source>There are no threads here yet.</source>
        <translation>Aún no hay conversaciones aquí.</translation>
    </message>
    <message>
        <source>“{wanted}” is not the beginning of a thread&apos;s id.</source>
        <translation>«{wanted}» no es el principio del identificador de una conversación.</translation>
    </message>
    <message>
        <source>Give at least {count} of its characters; &apos;chatdesk threads&apos; lists them.</source>
        <translation>Indica al menos {count} de sus caracteres; &apos;chatdesk threads&apos; los muestra.</translation>
    </message>
    <message>
        <source>No thread&apos;s id begins with {prefix}.</source>
        <translation>Ningún identificador de conversación empieza por {prefix}.</translation>
    </message>
    <message>
        <source>&apos;chatdesk threads&apos; lists them.</source>
        <translation>&apos;chatdesk threads&apos; las muestra.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads have ids that begin with {prefix}.</source>
        <comment>{count} thread has an id that begins with {prefix}.</comment>
        <translation>
            <numerusform>El identificador de {count} conversación empieza por {prefix}.</numerusform>
            <numerusform>Los identificadores de {count} conversaciones empiezan por {prefix}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give more of the id.</source>
        <translation>Indica más del identificador.</translation>
    </message>
    <message>
        <source>it must be a whole number, at least 1</source>
        <translation>debe ser un número entero, al menos 1</translation>
    </message>
    <message>
        <source>See &apos;chatdesk projects&apos;.</source>
        <translation>Consulta &apos;chatdesk projects&apos;.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects are called “{name}”: {projects}.</source>
        <comment>{count} project is called “{name}”: {projects}.</comment>
        <translation>
            <numerusform>{count} proyecto se llama «{name}»: {projects}.</numerusform>
            <numerusform>{count} proyectos se llaman «{name}»: {projects}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give the id of one.</source>
        <translation>Indica el identificador de uno de ellos.</translation>
    </message>
    <message>
        <source>No project is called “{name}”.</source>
        <translation>Ningún proyecto se llama «{name}».</translation>
    </message>
    <message>
        <source>No project that is shared is called “{name}”.</source>
        <translation>Ningún proyecto compartido se llama «{name}».</translation>
    </message>
    <message>
        <source>No project that is not shared yet is called “{name}”.</source>
        <translation>Ningún proyecto aún sin compartir se llama «{name}».</translation>
    </message>
    <message>
        <source>switch a server on</source>
        <translation>activa un servidor</translation>
    </message>
    <message>
        <source>switch a server off</source>
        <translation>desactiva un servidor</translation>
    </message>
    <message>
        <source>sign in to a server over HTTP, in your browser</source>
        <translation>inicia sesión en un servidor por HTTP, en tu navegador</translation>
    </message>
    <message>
        <source>start servers and list their tools, step by step</source>
        <translation>inicia los servidores y muestra sus herramientas, paso a paso</translation>
    </message>
    <message>
        <source>environment variable whose value is kept in the keyring and given to the server; may be repeated</source>
        <translation>variable de entorno cuyo valor se guarda en el llavero y se da al servidor; se puede repetir</translation>
    </message>
    <message>
        <source>remove a server</source>
        <translation>quita un servidor</translation>
    </message>
    <message>
        <source>sign out of a server</source>
        <translation>cierra la sesión en un servidor</translation>
    </message>
    <message>
        <source>set up the servers whose tools models may use</source>
        <translation>configura los servidores cuyas herramientas pueden usar los modelos</translation>
    </message>
    <message>
        <source>list the servers, and whether they are on</source>
        <translation>muestra los servidores y si están activados</translation>
    </message>
    <message>
        <source>add a server; put options before its name</source>
        <translation>añade un servidor; pon las opciones antes de su nombre</translation>
    </message>
    <message>
        <source>name of the server</source>
        <translation>nombre del servidor</translation>
    </message>
    <message>
        <source>program to run, with its arguments</source>
        <translation>programa que se ejecuta, con sus argumentos</translation>
    </message>
    <message>
        <source>address of the server, if it is reached over HTTP</source>
        <translation>dirección del servidor, si se accede a él por HTTP</translation>
    </message>
    <message>
        <source>id of the OAuth client that you registered for the address</source>
        <translation>identificador del cliente OAuth que registraste para la dirección</translation>
    </message>
    <message>
        <source>environment variable that holds the client&apos;s secret</source>
        <translation>variable de entorno que contiene el secreto del cliente</translation>
    </message>
    <message>
        <source>folder in which the program runs (by default an empty one)</source>
        <translation>carpeta en la que se ejecuta el programa (por defecto, una vacía)</translation>
    </message>
    <message>
        <source>add servers from the JSON settings of another program</source>
        <translation>añade servidores de la configuración JSON de otro programa</translation>
    </message>
    <message>
        <source>file with the JSON; - reads it from stdin</source>
        <translation>archivo con el JSON; - lo lee de stdin</translation>
    </message>
    <message>
        <source>id of the server (by default all that are on)</source>
        <translation>identificador del servidor (por defecto, todos los activados)</translation>
    </message>
    <message>
        <source>id of the server</source>
        <translation>identificador del servidor</translation>
    </message>
    <message>
        <source>list what tools may do without asking again</source>
        <translation>muestra lo que las herramientas pueden hacer sin volver a preguntar</translation>
    </message>
    <message>
        <source>take back permissions of a server&apos;s tools</source>
        <translation>retira permisos de las herramientas de un servidor</translation>
    </message>
    <message>
        <source>name of the tool (by default all tools of the server)</source>
        <translation>nombre de la herramienta (por defecto, todas las del servidor)</translation>
    </message>
    <message>
        <source>show or set the folder in which tools work for a project</source>
        <translation>muestra o asigna la carpeta en la que trabajan las herramientas de un proyecto</translation>
    </message>
    <message>
        <source>folder to set; without it, the current one is shown</source>
        <translation>carpeta que se asigna; sin ella se muestra la actual</translation>
    </message>
    <message>
        <source>remove the folder from the project</source>
        <translation>quita la carpeta del proyecto</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the tool servers.</source>
        <translation>ChatDesk está abierto y gestiona los servidores de herramientas.</translation>
    </message>
    <message>
        <source>Change them in Settings, Tools, or close ChatDesk first.</source>
        <translation>Cámbialos en Ajustes, Herramientas, o cierra ChatDesk primero.</translation>
    </message>
    <message>
        <source>on</source>
        <translation>activado</translation>
    </message>
    <message>
        <source>off</source>
        <translation>desactivado</translation>
    </message>
    <message>
        <source>A server has either an address or a command.</source>
        <translation>Un servidor tiene una dirección o un comando.</translation>
    </message>
    <message>
        <source>Write: add --address URL NAME, or: add NAME COMMAND ARGUMENTS.</source>
        <translation>Escribe: add --address URL NAME, o: add NAME COMMAND ARGUMENTS.</translation>
    </message>
    <message>
        <source>The variable {first} is not set here.</source>
        <translation>La variable {first} no está definida aquí.</translation>
    </message>
    <message>
        <source>{name}: {field} is still to be filled in.</source>
        <translation>{name}: falta rellenar {field}.</translation>
    </message>
    <message>
        <source>They are off until you switch them on: chatdesk tools on SERVER.</source>
        <translation>Están desactivados hasta que los actives: chatdesk tools on SERVER.</translation>
    </message>
    <message>
        <source>There was no such permission.</source>
        <translation>No existía ese permiso.</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>correcto</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>falló</translation>
    </message>
    <message>
        <source>Sign in to {name} in your browser. If no page opens, open this one:</source>
        <translation>Inicia sesión en {name} en tu navegador. Si no se abre ninguna página, abre esta:</translation>
    </message>
    <message>
        <source>Signed in.</source>
        <translation>Sesión iniciada.</translation>
    </message>
    <message>
        <source>{name} did not ask you to sign in.</source>
        <translation>{name} no te pidió iniciar sesión.</translation>
    </message>
    <message>
        <source>Signed out, here and at the server.</source>
        <translation>Sesión cerrada, aquí y en el servidor.</translation>
    </message>
    <message>
        <source>Signed out on this computer. The server was not told, or cannot withdraw the sign-in.</source>
        <translation>Sesión cerrada en este dispositivo. No se avisó al servidor, o este no puede anular la sesión.</translation>
    </message>
    <message>
        <source>There is no tool server “{name}”.</source>
        <translation>No hay ningún servidor de herramientas «{name}».</translation>
    </message>
    <message>
        <source>See chatdesk tools list.</source>
        <translation>Consulta chatdesk tools list.</translation>
    </message>
    <message>
        <source>comes with ChatDesk</source>
        <translation>viene con ChatDesk</translation>
    </message>
    <message>
        <source>{place} could not be read.</source>
        <translation>No se pudo leer {place}.</translation>
    </message>
    <message>
        <source>address of SearXNG</source>
        <translation>dirección de SearXNG</translation>
    </message>
    <message>
        <source>The variable {key} is not set here.</source>
        <translation>La variable {key} no está definida aquí.</translation>
    </message>
    <message>
        <source>show or set the search engine that models use for the web</source>
        <translation>muestra o elige el buscador que usan los modelos en la web</translation>
    </message>
    <message>
        <source>environment variable that holds the key</source>
        <translation>variable de entorno que contiene la clave</translation>
    </message>
    <message>
        <source>test the engine step by step; an ENGINE that is given is tested without being set</source>
        <translation>prueba el buscador paso a paso; si se da ENGINE, se prueba sin elegirlo</translation>
    </message>
    <message>
        <source>remove the stored key of the engine</source>
        <translation>quita la clave guardada del buscador</translation>
    </message>
    <message>
        <source>print a JSON object, or with --test an array of its steps</source>
        <translation>muestra un objeto JSON o, con --test, una lista de los pasos</translation>
    </message>
    <message>
        <source>Name the engine whose key should be removed.</source>
        <translation>Indica el buscador cuya clave hay que quitar.</translation>
    </message>
    <message>
        <source>with a key</source>
        <translation>con clave</translation>
    </message>
    <message>
        <source>without a key</source>
        <translation>sin clave</translation>
    </message>
    <message>
        <source>No search engine is chosen.</source>
        <translation>No se ha elegido ningún buscador.</translation>
    </message>
    <message>
        <source>Name one to test it.</source>
        <translation>Indica uno para probarlo.</translation>
    </message>
    <message>
        <source>Left out: an answer has at most {most_in_message} pictures.</source>
        <translation>Se omitió: una respuesta puede tener como máximo {most_in_message} imágenes.</translation>
    </message>
    <message>
        <source>Not kept: {reason}</source>
        <translation>No se guardó: {reason}</translation>
    </message>
    <message>
        <source>The pictures of this answer are larger than {most_bytes} MB together.</source>
        <translation>Las imágenes de esta respuesta superan juntas los {most_bytes} MB.</translation>
    </message>
    <message>
        <source>It is not a picture that can be shown.</source>
        <translation>No es una imagen que se pueda mostrar.</translation>
    </message>
    <message>
        <source>The picture is damaged.</source>
        <translation>La imagen está dañada.</translation>
    </message>
    <message>
        <source>The picture is empty.</source>
        <translation>La imagen está vacía.</translation>
    </message>
    <message>
        <source>Remove some and send them with the next message, or raise the limit in Settings, Usage and limits.</source>
        <translation>Quita algunos y envíalos con el próximo mensaje, o sube el límite en Ajustes, Uso y límites.</translation>
    </message>
    <message>
        <source>Choose another file, or change the kinds in Settings, Usage and limits.</source>
        <translation>Elige otro archivo, o cambia los tipos en Ajustes, Uso y límites.</translation>
    </message>
    <message>
        <source>Your text and the attachments are kept.</source>
        <translation>Tu texto y los adjuntos se conservan.</translation>
    </message>
    <message>
        <source>“{name}” is of a kind that may not be attached: {mime}.</source>
        <translation>«{name}» es de un tipo que no se permite adjuntar: {mime}.</translation>
    </message>
    <message>
        <source>A message can have at most {number} files; there are {attachments}.</source>
        <translation>Un mensaje puede tener como máximo {number} archivos; hay {attachments}.</translation>
    </message>
    <message>
        <source>The files of one message can have at most {limit} together; these have {total}.</source>
        <translation>Los archivos de un mensaje pueden ocupar juntos como máximo {limit}; estos ocupan {total}.</translation>
    </message>
    <message>
        <source>With “{name}”, the files attached today would have {total}; the limit for a day is {limit}.</source>
        <translation>Con «{name}», los archivos adjuntados hoy ocuparían {total}; el límite de un día es {limit}.</translation>
    </message>
    <message>
        <source>Your text and the other attachments are kept.</source>
        <translation>Tu texto y los demás adjuntos se conservan.</translation>
    </message>
    <message>
        <source>Attach it tomorrow, or raise the limit in Settings, Usage and limits.</source>
        <translation>Adjúntalo mañana, o sube el límite en Ajustes, Uso y límites.</translation>
    </message>
    <message>
        <source>A message can have {number} files; {number_2} were left out.</source>
        <translation>Un mensaje puede tener {number} archivos; se dejaron fuera {number_2}.</translation>
    </message>
    <message>
        <source>The attached file is no longer there.</source>
        <translation>El archivo adjunto ya no está.</translation>
    </message>
    <message>
        <source>The attached file is larger than it was.</source>
        <translation>El archivo adjunto es más grande que antes.</translation>
    </message>
    <message>
        <source>That is not the checksum of a file.</source>
        <translation>Eso no es la suma de comprobación de un archivo.</translation>
    </message>
    <message>
        <source>The file could not be stored with your messages: {reason}.</source>
        <translation>No se pudo guardar el archivo con tus mensajes: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk or choose another data directory, then attach it again.</source>
        <translation>Libera espacio en el disco o elige otra carpeta de datos, y adjúntalo de nuevo.</translation>
    </message>
    <message>
        <source>It needs too much time or memory to be read.</source>
        <translation>Leerlo requiere demasiado tiempo o memoria.</translation>
    </message>
    <message>
        <source>It is damaged.</source>
        <translation>Está dañada.</translation>
    </message>
    <message>
        <source>It has more than {most_pixels} million pixels.</source>
        <translation>Tiene más de {most_pixels} millones de píxeles.</translation>
    </message>
    <message>
        <source>It is damaged, or not an image that can be shown.</source>
        <translation>Está dañada o no es una imagen que se pueda mostrar.</translation>
    </message>
    <message>
        <source>“{name}” is empty.</source>
        <translation>«{name}» está vacío.</translation>
    </message>
    <message>
        <source>Attach a file that is not empty.</source>
        <translation>Adjunta un archivo que no esté vacío.</translation>
    </message>
    <message>
        <source>The image “{name}” cannot be attached. {reason}</source>
        <translation>No se puede adjuntar la imagen «{name}». {reason}</translation>
    </message>
    <message>
        <source>Save it again with a drawing program, smaller if need be, and attach that.</source>
        <translation>Guárdala de nuevo con un programa de dibujo, más pequeña si hace falta, y adjunta esa.</translation>
    </message>
    <message>
        <source>“{name}” is not there.</source>
        <translation>No se encuentra «{name}».</translation>
    </message>
    <message>
        <source>“{name}” is not a file that can be read.</source>
        <translation>«{name}» no es un archivo que se pueda leer.</translation>
    </message>
    <message>
        <source>“{name}” is a folder.</source>
        <translation>«{name}» es una carpeta.</translation>
    </message>
    <message>
        <source>Attach the files in it.</source>
        <translation>Adjunta los archivos que contiene.</translation>
    </message>
    <message>
        <source>its name or place is not valid</source>
        <translation>su nombre o su ubicación no son válidos</translation>
    </message>
    <message>
        <source>“{name}” cannot be read: {reason}.</source>
        <translation>No se puede leer «{name}»: {reason}.</translation>
    </message>
    <message>
        <source>Check the file, then attach it again.</source>
        <translation>Comprueba el archivo y adjúntalo de nuevo.</translation>
    </message>
    <message>
        <source>It needs too much memory.</source>
        <translation>Requiere demasiada memoria.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be read.</source>
        <translation>Está dañado y no se puede leer.</translation>
    </message>
    <message>
        <source>What {who} has there is not an image that can be shown.</source>
        <translation>Lo que hay en esa dirección de {who} no es una imagen que se pueda mostrar.</translation>
    </message>
    <message>
        <source>The image could not be loaded.</source>
        <translation>No se pudo cargar la imagen.</translation>
    </message>
    <message>
        <source>The image is on another server: {host}.</source>
        <translation>La imagen está en otro servidor: {host}.</translation>
    </message>
    <message>
        <source>{host} is in your own network.</source>
        <translation>{host} está en tu propia red.</translation>
    </message>
    <message>
        <source>Shown by ChatDesk, once. Scripts and links are off; nothing is loaded or sent.</source>
        <translation>Mostrada por ChatDesk, una vez. Los scripts y enlaces están desactivados; no se carga ni envía nada.</translation>
    </message>
    <message>
        <source>This page is empty.</source>
        <translation>Esta página está vacía.</translation>
    </message>
    <message>
        <source>Nothing was opened.</source>
        <translation>No se abrió nada.</translation>
    </message>
    <message>
        <source>This page is larger than {most_bytes} MB.</source>
        <translation>Esta página supera los {most_bytes} MB.</translation>
    </message>
    <message>
        <source>Save it as a file instead.</source>
        <translation>Guárdala como archivo.</translation>
    </message>
    <message>
        <source>Files of this kind have no text that can be read.</source>
        <translation>Los archivos de este tipo no tienen texto legible.</translation>
    </message>
    <message>
        <source>There is no text in it.</source>
        <translation>No contiene texto.</translation>
    </message>
    <message>
        <source>A program for text recognition, such as OCRmyPDF, makes a copy of it that can be read.</source>
        <translation>Un programa de reconocimiento de texto, como OCRmyPDF, crea una copia que se puede leer.</translation>
    </message>
    <message>
        <source>It is long; its first {cut} characters are read.</source>
        <translation>Es largo; se leen sus primeros {cut} caracteres.</translation>
    </message>
    <message>
        <source>It does not say how its characters are encoded. Read as {encoding}: “{sample}”.</source>
        <translation>El archivo no dice cómo están codificados sus caracteres. Leído como {encoding}: «{sample}».</translation>
    </message>
    <message>
        <source>It is protected by a password.</source>
        <translation>Está protegido con contraseña.</translation>
    </message>
    <message>
        <source>No text can be read from it; it may hold scanned pages.</source>
        <translation>No se puede extraer texto; quizá contenga páginas escaneadas.</translation>
    </message>
    <message>
        <source>It is long; {read} of its {total} pages are read.</source>
        <translation>Es largo; se leen {read} de sus {total} páginas.</translation>
    </message>
    <message>
        <source>{damaged} of its {total} pages cannot be read.</source>
        <translation>{damaged} de sus {total} páginas no se pueden leer.</translation>
    </message>
    <message>
        <source>{scanned} of its {total} pages are pictures.</source>
        <translation>{scanned} de sus {total} páginas son imágenes.</translation>
    </message>
    <message>
        <source>The virus scanner found something in the file.</source>
        <translation>El antivirus encontró algo en el archivo.</translation>
    </message>
    <message>
        <source>The file was kept out; your text and the other attachments are kept.</source>
        <translation>El archivo no se admitió; tu texto y los demás adjuntos se conservan.</translation>
    </message>
    <message>
        <source>Do not open the file. If you trust it, ask whoever looks after the scanner.</source>
        <translation>No abras el archivo. Si confías en él, consulta a quien se encarga del antivirus.</translation>
    </message>
    <message>
        <source>The virus scanner does not answer, so the file was kept out.</source>
        <translation>El antivirus no responde, así que el archivo no se admitió.</translation>
    </message>
    <message>
        <source>Start the scanner, or change the scanner or what happens without it in Settings, Data and backup.</source>
        <translation>Inicia el antivirus o, en Ajustes, Datos y copias, cámbialo o decide qué pasa si no responde.</translation>
    </message>
    <message>
        <source>Nothing was sent there. The file was kept out; your text and the other attachments are kept.</source>
        <translation>No se envió nada allí. El archivo no se admitió; tu texto y los demás adjuntos se conservan.</translation>
    </message>
    <message>
        <source>Enter the scanner anew in Settings, Data and backup, or set {variable} to its address.</source>
        <translation>Vuelve a indicar el antivirus en Ajustes, Datos y copias, o asigna su dirección a {variable}.</translation>
    </message>
    <message>
        <source>The settings in this data directory, which may be somebody else&apos;s, name a virus scanner on another computer: {address}.</source>
        <translation>Los ajustes de esta carpeta de datos, que quizá sea de otra persona, indican un antivirus en otro dispositivo: {address}.</translation>
    </message>
    <message>
        <source>The virus scanner found “{found}” in the file.</source>
        <translation>El antivirus encontró «{found}» en el archivo.</translation>
    </message>
    <message>
        <source>This is not the address of a web page.</source>
        <translation>Esa no es la dirección de una página web.</translation>
    </message>
    <message>
        <source>Nothing was fetched.</source>
        <translation>No se descargó nada.</translation>
    </message>
    <message>
        <source>There is a file of the type {mime} there.</source>
        <translation>Allí hay un archivo del tipo {mime}.</translation>
    </message>
    <message>
        <source>ChatDesk is closing.</source>
        <translation>ChatDesk se está cerrando.</translation>
    </message>
    <message>
        <source>This message has no text that could be opened as an artifact.</source>
        <translation>Este mensaje no tiene texto que se pueda abrir como artefacto.</translation>
    </message>
    <message>
        <source>The version is unchanged.</source>
        <translation>La versión sigue como estaba.</translation>
    </message>
    <message>
        <source>This kind of file is not shown here. Save it, or open it with another program.</source>
        <translation>Este tipo de archivo no se muestra aquí. Guárdalo o ábrelo con otro programa.</translation>
    </message>
    <message>
        <source>The file is too large to be shown here. Save it, or open it with another program.</source>
        <translation>El archivo es demasiado grande para mostrarlo aquí. Guárdalo o ábrelo con otro programa.</translation>
    </message>
    <message>
        <source>These versions are too large to be compared here.</source>
        <translation>Estas versiones son demasiado grandes para compararlas aquí.</translation>
    </message>
    <message>
        <source>Save both to compare.</source>
        <translation>Guarda ambas para compararlas.</translation>
    </message>
    <message>
        <source>Nothing can be opened or edited here, because nothing can be written.</source>
        <translation>Aquí no se puede abrir ni editar nada, porque no se permite escribir.</translation>
    </message>
    <message>
        <source>The message has {size_bytes} bytes; the limit is {most_bytes} bytes.</source>
        <translation>El mensaje tiene {size_bytes} bytes; el límite es de {most_bytes} bytes.</translation>
    </message>
    <message>
        <source>The copying was stopped.</source>
        <translation>La copia se detuvo.</translation>
    </message>
    <message>
        <source>Nothing can be attached here, because nothing can be written.</source>
        <translation>Aquí no se puede adjuntar nada, porque no se permite escribir.</translation>
    </message>
    <message>
        <source>ChatDesk was closing.</source>
        <translation>ChatDesk se estaba cerrando.</translation>
    </message>
    <message>
        <source>The file is no longer there.</source>
        <translation>El archivo ya no está.</translation>
    </message>
    <message>
        <source>The page cannot be handed to your browser: {strerror}.</source>
        <translation>No se puede pasar la página a tu navegador: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file or the folder is no longer there.</source>
        <translation>El archivo adjunto o la carpeta ya no está.</translation>
    </message>
    <message>
        <source>Choose another place.</source>
        <translation>Elige otro lugar.</translation>
    </message>
    <message>
        <source>The file could not be written: {strerror}.</source>
        <translation>No se pudo escribir el archivo: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file is unchanged.</source>
        <translation>El archivo adjunto no ha cambiado.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows.</source>
        <translation>Una página contiene de 1 a {largest_page} filas.</translation>
    </message>
    <message>
        <source>Summaries cannot be made here.</source>
        <translation>Aquí no se pueden hacer resúmenes.</translation>
    </message>
    <message>
        <source>A summary needs some text.</source>
        <translation>Un resumen necesita algo de texto.</translation>
    </message>
    <message>
        <source>The old one is kept.</source>
        <translation>El anterior se conserva.</translation>
    </message>
    <message>
        <source>Or switch it off.</source>
        <translation>O desactívalo.</translation>
    </message>
    <message>
        <source>There may be {most_facts} facts of at most {longest_fact} characters.</source>
        <translation>Puede haber {most_facts} datos de {longest_fact} caracteres como máximo.</translation>
    </message>
    <message>
        <source>The old ones are kept.</source>
        <translation>Los anteriores se conservan.</translation>
    </message>
    <message>
        <source>{label} takes no {lacking} from other programs.</source>
        <translation>{label} no acepta {lacking} de otros programas.</translation>
    </message>
    <message>
        <source>Choose a provider that speaks chat completions.</source>
        <translation>Elige un proveedor que admita «chat completions».</translation>
    </message>
    <message>
        <source>A draft cannot be empty.</source>
        <translation>Un borrador no puede estar vacío.</translation>
    </message>
    <message>
        <source>The thread has another draft, which a person may be writing.</source>
        <translation>La conversación tiene otro borrador, que quizá esté escribiendo alguien.</translation>
    </message>
    <message>
        <source>It was not changed.</source>
        <translation>No se cambió.</translation>
    </message>
    <message>
        <source>Write the draft into a new thread.</source>
        <translation>Escribe el borrador en una conversación nueva.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows, not {limit}.</source>
        <translation>Una página contiene de 1 a {largest_page} filas, no {limit}.</translation>
    </message>
    <message numerus="yes">
        <source>pin {count} threads</source>
        <comment>pin thread</comment>
        <translation>
            <numerusform>fijar conversación</numerusform>
            <numerusform>fijar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unpin {count} threads</source>
        <comment>unpin thread</comment>
        <translation>
            <numerusform>desfijar conversación</numerusform>
            <numerusform>desfijar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>archive {count} threads</source>
        <comment>archive thread</comment>
        <translation>
            <numerusform>archivar conversación</numerusform>
            <numerusform>archivar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unarchive {count} threads</source>
        <comment>unarchive thread</comment>
        <translation>
            <numerusform>desarchivar conversación</numerusform>
            <numerusform>desarchivar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move {count} threads</source>
        <comment>move thread</comment>
        <translation>
            <numerusform>mover conversación</numerusform>
            <numerusform>mover {count} conversaciones</numerusform>
        </translation>
    </message>
    <message>
        <source>That is no note.</source>
        <translation>Eso no es una nota.</translation>
    </message>
    <message>
        <source>The files of the assistants are larger than {most_file_bytes} MB together.</source>
        <translation>Los archivos de los asistentes superan juntos los {most_file_bytes} MB.</translation>
    </message>
    <message>
        <source>The prompts are unchanged.</source>
        <translation>Los prompts no han cambiado.</translation>
    </message>
    <message>
        <source>Take large files out of the assistants, and attach them to a message instead.</source>
        <translation>Saca los archivos grandes de los asistentes y adjúntalos a un mensaje.</translation>
    </message>
    <message>
        <source>The file could not be read: {strerror}.</source>
        <translation>No se pudo leer el archivo: {strerror}.</translation>
    </message>
    <message>
        <source>The file is larger than {largest_file_bytes} MB.</source>
        <translation>El archivo supera los {largest_file_bytes} MB.</translation>
    </message>
    <message>
        <source>The file is no JSON.</source>
        <translation>El archivo no es JSON.</translation>
    </message>
    <message>
        <source>The file contains no prompts of ChatDesk.</source>
        <translation>El archivo no contiene prompts de ChatDesk.</translation>
    </message>
    <message>
        <source>The file contains no list of prompts, or more than {most_prompts}.</source>
        <translation>El archivo no contiene una lista de prompts, o tiene más de {most_prompts}.</translation>
    </message>
    <message>
        <source>The file was written by a newer ChatDesk.</source>
        <translation>El archivo procede de una versión más reciente de ChatDesk.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file is not one: it needs a kind, a name and a text that is not too long.</source>
        <translation>El prompt {number} del archivo no lo es: necesita un tipo, un nombre y un texto no demasiado largo.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file has no list of files, or too many.</source>
        <translation>El prompt {number} del archivo no tiene lista de archivos o tiene demasiados.</translation>
    </message>
    <message>
        <source>A file of prompt {number} in the file cannot be read.</source>
        <translation>No se puede leer un archivo del prompt {number} del archivo.</translation>
    </message>
    <message>
        <source>Nothing was added.</source>
        <translation>No se añadió nada.</translation>
    </message>
    <message>
        <source>Choose a file that was exported from Prompts.</source>
        <translation>Elige un archivo exportado desde Prompts.</translation>
    </message>
    <message>
        <source>A prompt needs a text.</source>
        <translation>Un prompt necesita un texto.</translation>
    </message>
    <message>
        <source>Type what it is to say, or delete it.</source>
        <translation>Escribe lo que debe decir o elimínalo.</translation>
    </message>
    <message>
        <source>The prompt has {text} characters; the most is {longest_text}.</source>
        <translation>El prompt tiene {text} caracteres; el máximo es de {longest_text}.</translation>
    </message>
    <message>
        <source>Shorten it, or keep the text in a file and attach that.</source>
        <translation>Acórtalo, o guarda el texto en un archivo y adjúntalo.</translation>
    </message>
    <message>
        <source>Your limit of messages is reached.</source>
        <translation>Has alcanzado tu límite de mensajes.</translation>
    </message>
    <message>
        <source>Your limit of messages to this provider is reached.</source>
        <translation>Has alcanzado tu límite de mensajes a este proveedor.</translation>
    </message>
    <message>
        <source>Your limit of messages in this project is reached.</source>
        <translation>Has alcanzado tu límite de mensajes en este proyecto.</translation>
    </message>
    <message>
        <source>The provider takes no more requests for now.</source>
        <translation>El proveedor no acepta más peticiones por ahora.</translation>
    </message>
    <message>
        <source>Ask again later.</source>
        <translation>Pregunta de nuevo más tarde.</translation>
    </message>
    <message>
        <source>This message is no longer waiting.</source>
        <translation>Este mensaje ya no está en espera.</translation>
    </message>
    <message>
        <source>Between 2 and {most_in_thread} models can be compared.</source>
        <translation>Se pueden comparar de 2 a {most_in_thread} modelos.</translation>
    </message>
    <message>
        <source>Only questions can be edited here.</source>
        <translation>Aquí solo se pueden editar preguntas.</translation>
    </message>
    <message>
        <source>Regenerate the answer instead.</source>
        <translation>Regenera la respuesta.</translation>
    </message>
    <message>
        <source>There is no question to answer here.</source>
        <translation>Aquí no hay ninguna pregunta que responder.</translation>
    </message>
    <message>
        <source>This answer is already complete.</source>
        <translation>Esta respuesta ya está completa.</translation>
    </message>
    <message>
        <source>Regenerate it for another version.</source>
        <translation>Regenérala para tener otra versión.</translation>
    </message>
    <message>
        <source>The system prompt has {text} characters; the most is {longest_text}.</source>
        <translation>El prompt de sistema tiene {text} caracteres; el máximo es de {longest_text}.</translation>
    </message>
    <message>
        <source>Shorten it.</source>
        <translation>Acórtalo.</translation>
    </message>
    <message>
        <source>There is a temporary chat already.</source>
        <translation>Ya hay un chat temporal.</translation>
    </message>
    <message>
        <source>Keep it or close it first.</source>
        <translation>Consérvalo o ciérralo primero.</translation>
    </message>
    <message>
        <source>There is no temporary chat.</source>
        <translation>No hay ningún chat temporal.</translation>
    </message>
    <message>
        <source>This chat was just kept.</source>
        <translation>Este chat se acaba de conservar.</translation>
    </message>
    <message>
        <source>What you wrote is still there.</source>
        <translation>Lo que escribiste sigue ahí.</translation>
    </message>
    <message>
        <source>An answer is still being written, so this chat was not kept yet.</source>
        <translation>Todavía se está escribiendo una respuesta, así que este chat aún no se ha conservado.</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it, and keep the chat then.</source>
        <translation>Espera a que termine, o detenla, y conserva entonces el chat.</translation>
    </message>
    <message>
        <source>The tool does not take these arguments.</source>
        <translation>La herramienta no acepta estos argumentos.</translation>
    </message>
    <message>
        <source>Nothing was run.</source>
        <translation>No se ejecutó nada.</translation>
    </message>
    <message>
        <source>Change them, or deny the call.</source>
        <translation>Cámbialos o deniega la llamada.</translation>
    </message>
    <message>
        <source>This call is no longer waiting for an answer.</source>
        <translation>Esta llamada ya no espera respuesta.</translation>
    </message>
    <message>
        <source>The server is no longer waiting for this.</source>
        <translation>El servidor ya no espera esto.</translation>
    </message>
    <message>
        <source>This answer is not offered for this call.</source>
        <translation>Esta respuesta no es una de las opciones de esta llamada.</translation>
    </message>
    <message>
        <source>“{name}” is missing.</source>
        <translation>Falta «{name}».</translation>
    </message>
    <message>
        <source>There is no “{name}”.</source>
        <translation>No existe «{name}».</translation>
    </message>
    <message>
        <source>“{name}” is not of the type {map}.</source>
        <translation>«{name}» no es del tipo {map}.</translation>
    </message>
    <message>
        <source>The person did not allow this call. Do not try it again in another way; go on without it, or ask them.</source>
        <translation>La persona no permitió esta llamada. No la intentes de otra forma; sigue sin ella, o pregúntale.</translation>
    </message>
    <message>
        <source>There is no tool with this name.</source>
        <translation>No hay ninguna herramienta con ese nombre.</translation>
    </message>
    <message>
        <source>The arguments are not valid JSON, so the tool was not run. Write them again.</source>
        <translation>Los argumentos no son JSON válido, así que la herramienta no se ejecutó. Escríbelos de nuevo.</translation>
    </message>
    <message>
        <source>No arguments came with this call, so the tool was not run. Write them again.</source>
        <translation>Con esta llamada no llegaron argumentos, así que la herramienta no se ejecutó. Escríbelos de nuevo.</translation>
    </message>
    <message>
        <source>The answer was cut off while this call was written, so the tool was not run.</source>
        <translation>La respuesta se cortó mientras se escribía esta llamada, así que la herramienta no se ejecutó.</translation>
    </message>
    <message>
        <source>The limit of this answer was reached, so the tool was not run.</source>
        <translation>Se alcanzó el límite de esta respuesta, así que la herramienta no se ejecutó.</translation>
    </message>
    <message>
        <source>Too many tools were called at once, so this one was not run. Call fewer.</source>
        <translation>Se llamó a demasiadas herramientas a la vez, así que esta no se ejecutó. Llama a menos.</translation>
    </message>
    <message>
        <source>“{tool}” is left out of this answer: {provider} refuses its description.</source>
        <translation>«{tool}» queda fuera de esta respuesta: {provider} rechaza su descripción.</translation>
    </message>
    <message>
        <source>No further tools can be called for this answer. Answer with what you have.</source>
        <translation>No se puede llamar a más herramientas para esta respuesta. Responde con lo que tienes.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its arguments are described in a form that no request can have.</source>
        <translation>«{tool}» queda fuera: sus argumentos se describen en una forma que ninguna petición puede tener.</translation>
    </message>
    <message>
        <source>Something unexpected happened in ChatDesk while this tool ran. Nobody knows what it did.</source>
        <translation>Ocurrió algo inesperado en ChatDesk mientras se ejecutaba esta herramienta. Nadie sabe qué hizo.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran, so nobody knows what it did. The person does not want it to be run again.</source>
        <translation>ChatDesk se cerró mientras esto se ejecutaba, así que nadie sabe qué hizo. La persona no quiere que se repita.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran. It may have done its work already.</source>
        <translation>ChatDesk se cerró mientras esto se ejecutaba. Quizá ya hizo su trabajo.</translation>
    </message>
    <message>
        <source>This thread has text from outside, such as a tool&apos;s result, a file, an import or a teammate&apos;s words, which may have asked for this.</source>
        <translation>Esta conversación tiene texto externo, como el resultado de una herramienta, un archivo, una importación o las palabras de alguien del equipo, que puede haber pedido esto.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools can be called: about {tokens} tokens with each request.</source>
        <comment>{count} tool can be called: about {tokens} tokens with each request.</comment>
        <translation>
            <numerusform>Se puede llamar a {count} herramienta: unos {tokens} tokens con cada petición.</numerusform>
            <numerusform>Se puede llamar a {count} herramientas: unos {tokens} tokens con cada petición.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{words} {count} tool servers not started yet.</source>
        <comment>{words} {count} tool server not started yet.</comment>
        <translation>
            <numerusform>{words} {count} servidor de herramientas aún sin iniciar.</numerusform>
            <numerusform>{words} {count} servidores de herramientas aún sin iniciar.</numerusform>
        </translation>
    </message>
    <message>
        <source>pin into the context</source>
        <translation>fijar en el contexto</translation>
    </message>
    <message>
        <source>exclude from the context</source>
        <translation>excluir del contexto</translation>
    </message>
    <message>
        <source>unpin from the context</source>
        <translation>desfijar del contexto</translation>
    </message>
    <message>
        <source>include in the context</source>
        <translation>incluir en el contexto</translation>
    </message>
    <message>
        <source>pin the passage</source>
        <translation>fijar el fragmento</translation>
    </message>
    <message>
        <source>leave out the passage</source>
        <translation>omitir el fragmento</translation>
    </message>
    <message>
        <source>unpin the passage</source>
        <translation>desfijar el fragmento</translation>
    </message>
    <message>
        <source>no longer leave out the passage</source>
        <translation>dejar de omitir el fragmento</translation>
    </message>
    <message>
        <source>rename thread</source>
        <translation>renombrar conversación</translation>
    </message>
    <message numerus="yes">
        <source>delete messages</source>
        <comment>delete message</comment>
        <translation>
            <numerusform>eliminar mensaje</numerusform>
            <numerusform>eliminar mensajes</numerusform>
        </translation>
    </message>
    <message>
        <source>restore message</source>
        <translation>restaurar mensaje</translation>
    </message>
    <message>
        <source>switch version</source>
        <translation>cambiar de versión</translation>
    </message>
    <message>
        <source>edit</source>
        <translation>editar</translation>
    </message>
    <message>
        <source>start of the context</source>
        <translation>inicio del contexto</translation>
    </message>
    <message>
        <source>add note</source>
        <translation>añadir nota</translation>
    </message>
    <message>
        <source>ask a question</source>
        <translation>hacer una pregunta</translation>
    </message>
    <message>
        <source>ask for an answer</source>
        <translation>pedir una respuesta</translation>
    </message>
    <message>
        <source>The message has about {scaled} tokens; the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>El mensaje tiene unos {scaled} tokens; el modelo lee {window} a la vez y {reserved} se reservan para la respuesta.</translation>
    </message>
    <message>
        <source>The system prompt has about {scaled} tokens and leaves no room for the message: the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>El prompt de sistema tiene unos {scaled} tokens y no deja sitio para el mensaje: el modelo lee {window} a la vez y {reserved} se reservan para la respuesta.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while it summarised.</source>
        <translation>ChatDesk cometió un error al resumir.</translation>
    </message>
    <message>
        <source>The report could not be written to {target}: {reason}.</source>
        <translation>No se pudo escribir el informe en {target}: {reason}.</translation>
    </message>
    <message>
        <source>Nothing half-written was left.</source>
        <translation>No quedó nada a medias.</translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly.</source>
        <translation>ChatDesk se cerró de forma inesperada.</translation>
    </message>
    <message>
        <source>note</source>
        <comment>finding</comment>
        <translation>aviso</translation>
    </message>
    <message>
        <source>problem</source>
        <translation>problema</translation>
    </message>
    <message>
        <source>No answer within {timeout_s} s.</source>
        <translation>Sin respuesta en {timeout_s} s.</translation>
    </message>
    <message>
        <source>The check itself failed ({name}).</source>
        <translation>La propia comprobación falló ({name}).</translation>
    </message>
    <message>
        <source>versions</source>
        <translation>versiones</translation>
    </message>
    <message>
        <source>ChatDesk {version}, Python {python}</source>
        <translation>ChatDesk {version}, Python {python}</translation>
    </message>
    <message>
        <source>data directory</source>
        <translation>carpeta de datos</translation>
    </message>
    <message>
        <source>settings directory</source>
        <translation>carpeta de ajustes</translation>
    </message>
    <message>
        <source>logs directory</source>
        <translation>carpeta de registros</translation>
    </message>
    <message>
        <source>backups directory</source>
        <translation>carpeta de copias</translation>
    </message>
    <message>
        <source>{path} is not a directory.</source>
        <translation>{path} no es una carpeta.</translation>
    </message>
    <message>
        <source>{path} (made when it is needed)</source>
        <translation>{path} (se crea cuando hace falta)</translation>
    </message>
    <message>
        <source>{path} cannot be written to. Check its owner and permissions.</source>
        <translation>No se puede escribir en {path}. Comprueba su propietario y permisos.</translation>
    </message>
    <message>
        <source>Others can look into {path}. Run: chmod 700 {path}</source>
        <translation>Otros usuarios pueden ver el contenido de {path}. Ejecuta: chmod 700 {path}</translation>
    </message>
    <message>
        <source>Only {free_bytes} MB are free. Free some space soon.</source>
        <translation>Solo quedan {free_bytes} MB libres. Libera espacio pronto.</translation>
    </message>
    <message>
        <source>{free_bytes} MB free</source>
        <translation>{free_bytes} MB libres</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>disco</translation>
    </message>
    <message>
        <source>PySide6 is not installed, so there can be no window.</source>
        <translation>PySide6 no está instalado, así que no puede haber ventana.</translation>
    </message>
    <message>
        <source>display</source>
        <translation>pantalla</translation>
    </message>
    <message>
        <source>the system&apos;s</source>
        <translation>la del sistema</translation>
    </message>
    <message>
        <source>No display here: the window runs unseen, the command line works.</source>
        <translation>Aquí no hay pantalla: la ventana se ejecuta sin mostrarse, y la línea de comandos funciona.</translation>
    </message>
    <message numerus="yes">
        <source>Written since, and not in it: {count} messages, in {names}. Export them first to keep them at hand.</source>
        <comment>Written since, and not in it: {count} message, in {names}. Export them first to keep them at hand.</comment>
        <translation>
            <numerusform>Escrito después y no incluido en ella: {count} mensaje, en {names}. Expórtalo antes para tenerlo a mano.</numerusform>
            <numerusform>Escritos después y no incluidos en ella: {count} mensajes, en {names}. Expórtalos antes para tenerlos a mano.</numerusform>
        </translation>
    </message>
    <message>
        <source>From an older ChatDesk (schema {schema}); it is upgraded at the next start.</source>
        <translation>De un ChatDesk anterior (esquema {schema}); se actualiza en el próximo inicio.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files are neither in it nor in the data directory.</source>
        <comment>{count} attached file is neither in it nor in the data directory.</comment>
        <translation>
            <numerusform>{count} archivo adjunto no está ni en ella ni en la carpeta de datos.</numerusform>
            <numerusform>{count} archivos adjuntos no están ni en ella ni en la carpeta de datos.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} answers had not ended: they stay as interrupted, and nothing is sent.</source>
        <comment>{count} answer had not ended: they stay as interrupted, and nothing is sent.</comment>
        <translation>
            <numerusform>{count} respuesta no había terminado: queda como interrumpida y no se envía nada.</numerusform>
            <numerusform>{count} respuestas no habían terminado: quedan como interrumpidas y no se envía nada.</numerusform>
        </translation>
    </message>
    <message>
        <source>others</source>
        <translation>otros</translation>
    </message>
    <message>
        <source>Teams: {names}. ChatDesk does not connect to them until you join them again.</source>
        <translation>Equipos: {names}. ChatDesk no se conecta a ellos hasta que te unas de nuevo.</translation>
    </message>
    <message>
        <source>Afterwards search fills up again in the background.</source>
        <translation>Después, el índice de búsqueda se rellena de nuevo en segundo plano.</translation>
    </message>
    <message>
        <source>Exported {threads} to {name}.</source>
        <translation>Exportado a {name}: {threads}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names: {lost}</source>
        <comment>{count} attachment is missing or damaged; the export has only its name: {lost}</comment>
        <translation>
            <numerusform>{count} adjunto falta o está dañado; la exportación solo contiene su nombre: {lost}</numerusform>
            <numerusform>{count} adjuntos faltan o están dañados; la exportación solo contiene sus nombres: {lost}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names</source>
        <comment>{count} attachment is missing or damaged; the export has only its name</comment>
        <translation>
            <numerusform>{count} adjunto falta o está dañado; la exportación solo contiene su nombre</numerusform>
            <numerusform>{count} adjuntos faltan o están dañados; la exportación solo contiene sus nombres</numerusform>
        </translation>
    </message>
    <message>
        <source>new</source>
        <comment>thread</comment>
        <translation>nueva</translation>
    </message>
    <message>
        <source>has new messages</source>
        <translation>tiene mensajes nuevos</translation>
    </message>
    <message>
        <source>here already</source>
        <translation>ya estaba</translation>
    </message>
    <message>
        <source>in the trash</source>
        <translation>en la papelera</translation>
    </message>
    <message>
        <source>deleted before</source>
        <translation>eliminada antes</translation>
    </message>
    <message>
        <source>{server} without a proxy</source>
        <translation>{server} sin proxy</translation>
    </message>
    <message>
        <source>{server} through the proxy {proxy}</source>
        <translation>{server} por el proxy {proxy}</translation>
    </message>
    <message>
        <source>{server}, trusting a file of certificates ({ca}…)</source>
        <translation>{server}, confiando en un archivo de certificados ({ca}…)</translation>
    </message>
    <message>
        <source>Send the key of {short} to {server}?</source>
        <translation>¿Enviar la clave de {short} a {server}?</translation>
    </message>
    <message>
        <source>The variable {variable} names the server of {label}, {server}. Only a key from a variable is sent there, never one that is kept.</source>
        <translation>La variable {variable} indica el servidor de {label}, {server}. Solo se envía allí una clave de una variable, nunca una guardada.</translation>
    </message>
    <message>
        <source>The key of {label} would travel unencrypted to {words}: anybody on the way could read it.</source>
        <translation>La clave de {label} viajaría sin cifrar hasta {words}: cualquiera en el camino podría leerla.</translation>
    </message>
    <message>
        <source>The key of {label} was kept by an earlier ChatDesk, which did not note the server that it is for. It would be sent to {words}.</source>
        <translation>La clave de {label} la guardó una versión anterior de ChatDesk, que no anotó para qué servidor era. Se enviaría a {words}.</translation>
    </message>
    <message>
        <source>The key of {label} was given for {words}. It would be sent to {wanted}.</source>
        <translation>La clave de {label} se indicó para {words}. Se enviaría a {wanted}.</translation>
    </message>
    <message>
        <source>It would travel unencrypted.</source>
        <translation>Viajaría sin cifrar.</translation>
    </message>
    <message>
        <source>Put the key for that server into OPENAI_API_KEY, or remove the variable.</source>
        <translation>Pon la clave de ese servidor en OPENAI_API_KEY o quita la variable.</translation>
    </message>
    <message>
        <source>If that is what you want, agree in Settings, Providers, or with &apos;chatdesk providers --agree {provider}&apos;.</source>
        <translation>Si es lo que quieres, acéptalo en Ajustes, Proveedores, o con &apos;chatdesk providers --agree {provider}&apos;.</translation>
    </message>
    <message>
        <source>Agree, or enter the key again.</source>
        <translation>Acéptalo o introduce la clave de nuevo.</translation>
    </message>
    <message>
        <source>it must look like 20/min, with s, min, h or day after the stroke</source>
        <translation>debe tener la forma 20/min, con s, min, h o day tras la barra</translation>
    </message>
    <message>
        <source>“{unit}” is no period; use s, min, h or day</source>
        <translation>«{unit}» no es un periodo; usa s, min, h o day</translation>
    </message>
    <message>
        <source>the number of messages must be from 1 to {most_messages}</source>
        <translation>el número de mensajes debe estar entre 1 y {most_messages}</translation>
    </message>
    <message>
        <source>the period must be from a second to 30 days</source>
        <translation>el periodo debe estar entre un segundo y 30 días</translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens</source>
        <comment>{count} token</comment>
        <translation>
            <numerusform>{count} token</numerusform>
            <numerusform>{count} tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>a day</source>
        <translation>al día</translation>
    </message>
    <message>
        <source>a month</source>
        <translation>al mes</translation>
    </message>
    <message>
        <source>{period} for {label}</source>
        <translation>{period} para {label}</translation>
    </message>
    <message>
        <source>Your messages are kept, and the newest ones are sent as they fit.</source>
        <translation>Tus mensajes se conservan, y se envían los más recientes que caben.</translation>
    </message>
    <message>
        <source>Summaries and titles are made again tomorrow; the limit is in Settings, Context.</source>
        <translation>Los resúmenes y títulos se volverán a hacer mañana; el límite está en Ajustes, Contexto.</translation>
    </message>
    <message>
        <source>Today&apos;s limit of {limit} tokens for summaries and titles is reached ({spent} are used).</source>
        <translation>Se alcanzó el límite de hoy de {limit} tokens para resúmenes y títulos (se usaron {spent}).</translation>
    </message>
    <message>
        <source>Titles and summaries stop at {limit} ({spent} are used).</source>
        <translation>Los títulos y resúmenes se detienen al llegar a {limit} (se usaron {spent}).</translation>
    </message>
    <message>
        <source>They are made again when the limit starts again; it is in Settings, Usage and limits.</source>
        <translation>Se volverán a hacer cuando el límite se reinicie; está en Ajustes, Uso y límites.</translation>
    </message>
    <message>
        <source>Your question is kept.</source>
        <translation>Tu pregunta se conserva.</translation>
    </message>
    <message>
        <source>waiting for an answer</source>
        <translation>espera una respuesta</translation>
    </message>
    <message>
        <source>This answer has not begun.</source>
        <translation>Esta respuesta no ha empezado.</translation>
    </message>
    <message>
        <source>This answer is still being written.</source>
        <translation>Esta respuesta aún se está escribiendo.</translation>
    </message>
    <message>
        <source>This answer was stopped.</source>
        <translation>Esta respuesta se detuvo.</translation>
    </message>
    <message>
        <source>This answer was interrupted.</source>
        <translation>Esta respuesta se interrumpió.</translation>
    </message>
    <message>
        <source>This answer failed.</source>
        <translation>Esta respuesta falló.</translation>
    </message>
    <message>
        <source>A part of this message is damaged. What can be read of it is shown; a backup may have it whole.</source>
        <translation>Una parte de este mensaje está dañada. Se muestra lo que se puede leer; quizá una copia de seguridad lo tenga entero.</translation>
    </message>
    <message>
        <source>being written</source>
        <translation>escribiéndose</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>detenida</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>interrumpida</translation>
    </message>
    <message>
        <source>{name} must be a number.</source>
        <translation>{name} debe ser un número.</translation>
    </message>
    <message>
        <source>{name} must be between 0 and {most}.</source>
        <translation>{name} debe estar entre 0 y {most}.</translation>
    </message>
    <message>
        <source>The length of an answer must be between 1 and {largest_answer} tokens.</source>
        <translation>La longitud de una respuesta debe estar entre 1 y {largest_answer} tokens.</translation>
    </message>
    <message>
        <source>The reasoning effort must be one of {reasoning_efforts}.</source>
        <translation>El esfuerzo de razonamiento debe ser uno de {reasoning_efforts}.</translation>
    </message>
    <message>
        <source>There may be at most {most_stop_words} stop words.</source>
        <translation>Puede haber como máximo {most_stop_words} palabras de parada.</translation>
    </message>
    <message>
        <source>A stop word has 1 to {longest_stop_word} characters.</source>
        <translation>Una palabra de parada tiene de 1 a {longest_stop_word} caracteres.</translation>
    </message>
    <message>
        <source>The temperature</source>
        <translation>La temperatura</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>An assistant has at most {most_in_message} files.</source>
        <translation>Un asistente tiene como máximo {most_in_message} archivos.</translation>
    </message>
    <message>
        <source>Leave some of them out.</source>
        <translation>Omite algunos.</translation>
    </message>
    <message>
        <source>The provider&apos;s id may have small letters, digits and hyphens only.</source>
        <translation>El identificador del proveedor solo puede tener minúsculas, dígitos y guiones.</translation>
    </message>
    <message>
        <source>Give the provider a name.</source>
        <translation>Pon un nombre al proveedor.</translation>
    </message>
    <message>
        <source>The address must begin with https:// or http://, name a server and hold no password.</source>
        <translation>La dirección debe empezar por https:// o http://, indicar un servidor y no contener contraseñas.</translation>
    </message>
    <message>
        <source>“{name}” is not the name of a header.</source>
        <translation>«{name}» no es un nombre de cabecera.</translation>
    </message>
    <message>
        <source>The value of the header {name} contains characters that cannot be sent.</source>
        <translation>El valor de la cabecera {name} contiene caracteres que no se pueden enviar.</translation>
    </message>
    <message>
        <source>The proxy must be an address such as http://proxy.example:3128, without a password. One that wants a password is set with the variable HTTPS_PROXY.</source>
        <translation>El proxy debe ser una dirección como http://proxy.example:3128, sin contraseña. Si pide contraseña, se define con la variable HTTPS_PROXY.</translation>
    </message>
    <message>
        <source>The organisation and the project hold characters that cannot be sent.</source>
        <translation>La organización y el proyecto contienen caracteres que no se pueden enviar.</translation>
    </message>
    <message>
        <source>Times must be between 1 and 3,600 seconds.</source>
        <translation>Los tiempos deben estar entre 1 y 3600 segundos.</translation>
    </message>
    <message>
        <source>Nothing was sent; your text stays where it is.</source>
        <translation>No se envió nada; tu texto sigue donde está.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. You asked {before} here until now; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} eligió {label} para esta conversación. Hasta ahora preguntabas aquí a {before}; tu pregunta, y con ella la conversación, se enviarían a {label}.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. Your own choice is {before}; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} eligió {label} para esta conversación. Tú habías elegido {before}; tu pregunta, y con ella la conversación, se enviarían a {label}.</translation>
    </message>
    <message>
        <source>Choose a model yourself, or name the provider: --provider {name}.</source>
        <translation>Elige tú un modelo o indica el proveedor: --provider {name}.</translation>
    </message>
    <message>
        <source>Ask {label}?</source>
        <translation>¿Preguntar a {label}?</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are missing on the team&apos;s server.</source>
        <translation>Desde {since} faltan cambios de «{project}» en el servidor del equipo.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server has other changes of “{project}” than it took.</source>
        <translation>Desde {since}, el servidor del equipo tiene cambios de «{project}» distintos de los que aceptó.</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are emptied on the team&apos;s server, and nobody asked for that.</source>
        <translation>Desde {since} hay cambios de «{project}» vaciados en el servidor del equipo, y nadie lo pidió.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server does not send all changes of “{project}” that it has.</source>
        <translation>Desde {since}, el servidor del equipo no envía todos los cambios de «{project}» que tiene.</translation>
    </message>
    <message>
        <source>It is no longer shared.</source>
        <translation>Ya no está compartido.</translation>
    </message>
    <message>
        <source>You left it.</source>
        <translation>Saliste de él.</translation>
    </message>
    <message>
        <source>You were removed from it.</source>
        <translation>Te quitaron de él.</translation>
    </message>
    <message>
        <source>It was deleted from the team by its owner.</source>
        <translation>Su propietario lo eliminó del equipo.</translation>
    </message>
    <message>
        <source>It was erased for everybody by its owner.</source>
        <translation>Su propietario lo borró para todos.</translation>
    </message>
    <message>
        <source>“{name}” is no longer shared.</source>
        <translation>«{name}» ya no está compartido.</translation>
    </message>
    <message>
        <source>You left “{name}”.</source>
        <translation>Saliste de «{name}».</translation>
    </message>
    <message>
        <source>You were removed from “{name}”.</source>
        <translation>Te quitaron de «{name}».</translation>
    </message>
    <message>
        <source>“{name}” was deleted from the team by its owner.</source>
        <translation>Su propietario eliminó «{name}» del equipo.</translation>
    </message>
    <message>
        <source>“{name}” was erased for everybody by its owner.</source>
        <translation>Su propietario borró «{name}» para todos.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here to be sent.</source>
        <comment>{count} change waits here to be sent.</comment>
        <translation>
            <numerusform>Aquí hay {count} cambio pendiente de envío.</numerusform>
            <numerusform>Aquí hay {count} cambios pendientes de envío.</numerusform>
        </translation>
    </message>
    <message>
        <source>Waiting for approval</source>
        <translation>Pendiente de aprobación</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>En curso</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Hecho</translation>
    </message>
    <message>
        <source>Denied</source>
        <translation>Denegado</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Falló</translation>
    </message>
    <message>
        <source>Unknown: ChatDesk ended while it ran</source>
        <translation>Desconocido: ChatDesk se cerró durante la ejecución</translation>
    </message>
    <message>
        <source>It asks you to sign in: choose Sign in in Settings, Tools.</source>
        <translation>Te pide iniciar sesión: elige Iniciar sesión en Ajustes, Herramientas.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its description is not what the protocol allows.</source>
        <translation>«{tool}» queda fuera: su descripción no cumple el protocolo.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its name or its description is too long.</source>
        <translation>«{tool}» queda fuera: su nombre o su descripción es demasiado largo.</translation>
    </message>
    <message>
        <source>“{tool}” is listed twice; the second one is left out.</source>
        <translation>«{tool}» aparece dos veces; la segunda queda fuera.</translation>
    </message>
    <message>
        <source>Not all of its tools are offered: it lists too many.</source>
        <translation>No se ofrecen todas sus herramientas: anuncia demasiadas.</translation>
    </message>
    <message>
        <source>Its list may be incomplete: it names the same page again and again.</source>
        <translation>Su lista puede estar incompleta: repite la misma página una y otra vez.</translation>
    </message>
    <message>
        <source>The tool failed.</source>
        <translation>La herramienta falló.</translation>
    </message>
    <message>
        <source>Your messages are kept.</source>
        <translation>Tus mensajes se conservan.</translation>
    </message>
    <message>
        <source>Try again, or test the server in Settings, Tools.</source>
        <translation>Inténtalo de nuevo, o prueba el servidor en Ajustes, Herramientas.</translation>
    </message>
    <message>
        <source>Type a number of tokens, such as 32000 or 128k.</source>
        <translation>Escribe un número de tokens, como 32000 o 128k.</translation>
    </message>
    <message>
        <source>The context is between {smallest_window} and {largest_window} tokens.</source>
        <translation>El contexto debe tener entre {smallest_window} y {largest_window} tokens.</translation>
    </message>
    <message>
        <source>Type dollars for a million tokens, such as 0.25.</source>
        <translation>Escribe el precio en dólares por millón de tokens, como 0.25.</translation>
    </message>
    <message>
        <source>Something went wrong.</source>
        <translation>Algo salió mal.</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>Inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>That is not a valid id.</source>
        <translation>Ese identificador no es válido.</translation>
    </message>
    <message>
        <source>Check the id; it looks like 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</source>
        <translation>Comprueba el identificador; tiene la forma 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</translation>
    </message>
    <message>
        <source>The message is empty.</source>
        <translation>El mensaje está vacío.</translation>
    </message>
    <message>
        <source>Type something first.</source>
        <translation>Escribe algo primero.</translation>
    </message>
    <message>
        <source>The message is larger than the limit.</source>
        <translation>El mensaje supera el límite.</translation>
    </message>
    <message>
        <source>Your text is kept in the composer.</source>
        <translation>Tu texto sigue en el cuadro de mensaje.</translation>
    </message>
    <message>
        <source>Shorten it, or attach it as a file.</source>
        <translation>Acórtalo o adjúntalo como archivo.</translation>
    </message>
    <message>
        <source>The file is larger than the limit.</source>
        <translation>El archivo supera el límite.</translation>
    </message>
    <message>
        <source>Attach a smaller file or a part of it, or raise the limit in the settings.</source>
        <translation>Adjunta un archivo más pequeño o una parte, o sube el límite en los ajustes.</translation>
    </message>
    <message>
        <source>“{name}” is larger than {limit}.</source>
        <translation>«{name}» supera el límite de {limit}.</translation>
    </message>
    <message>
        <source>The file is larger than {limit}.</source>
        <translation>El archivo supera el límite de {limit}.</translation>
    </message>
    <message>
        <source>The file cannot be attached.</source>
        <translation>No se puede adjuntar el archivo.</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>Elige otro archivo.</translation>
    </message>
    <message>
        <source>This file cannot be imported.</source>
        <translation>No se puede importar este archivo.</translation>
    </message>
    <message>
        <source>A thread needs a title.</source>
        <translation>Una conversación necesita un título.</translation>
    </message>
    <message>
        <source>The old title is kept.</source>
        <translation>El título anterior se conserva.</translation>
    </message>
    <message>
        <source>Type at least one character.</source>
        <translation>Escribe al menos un carácter.</translation>
    </message>
    <message>
        <source>It may have been deleted for good; look in the list.</source>
        <translation>Quizá se eliminó definitivamente; búscalo en la lista.</translation>
    </message>
    <message>
        <source>There is no thread with that id.</source>
        <translation>No hay ninguna conversación con ese identificador.</translation>
    </message>
    <message>
        <source>There is no message with that id.</source>
        <translation>No hay ningún mensaje con ese identificador.</translation>
    </message>
    <message>
        <source>The message to answer to does not exist in this thread.</source>
        <translation>El mensaje al que se quiere responder no existe en esta conversación.</translation>
    </message>
    <message>
        <source>There is no project with that id.</source>
        <translation>No hay ningún proyecto con ese identificador.</translation>
    </message>
    <message>
        <source>There is no summary with that id.</source>
        <translation>No hay ningún resumen con ese identificador.</translation>
    </message>
    <message>
        <source>There is no prompt with that id.</source>
        <translation>No hay ningún prompt con ese identificador.</translation>
    </message>
    <message>
        <source>The message is larger than what the model can read at once.</source>
        <translation>El mensaje es más grande de lo que el modelo puede leer a la vez.</translation>
    </message>
    <message>
        <source>Shorten it, attach it as a file, or choose a model with a larger window.</source>
        <translation>Acórtalo, adjúntalo como archivo o elige un modelo con una ventana mayor.</translation>
    </message>
    <message>
        <source>The system prompt leaves no room for the message.</source>
        <translation>El prompt de sistema no deja sitio para el mensaje.</translation>
    </message>
    <message>
        <source>Shorten the system prompt, or choose a model with a larger window.</source>
        <translation>Acorta el prompt de sistema o elige un modelo con una ventana mayor.</translation>
    </message>
    <message>
        <source>The question is excluded from the context, so there is nothing to answer.</source>
        <translation>La pregunta está excluida del contexto, así que no hay nada que responder.</translation>
    </message>
    <message>
        <source>Take it back into the context, or ask again.</source>
        <translation>Devuélvela al contexto o pregunta de nuevo.</translation>
    </message>
    <message>
        <source>Some messages of this summary are gone or no longer shown.</source>
        <translation>Algunos mensajes de este resumen ya no están o ya no se muestran.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the remaining messages as fit are sent.</source>
        <translation>No se cambió nada; de los mensajes que quedan se envían los que caben.</translation>
    </message>
    <message>
        <source>Create the summary again.</source>
        <translation>Vuelve a crear el resumen.</translation>
    </message>
    <message>
        <source>The model gave no summary that can be used.</source>
        <translation>El modelo no dio un resumen utilizable.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the newest messages as fit are sent.</source>
        <translation>No se cambió nada; se envían los mensajes más recientes que caben.</translation>
    </message>
    <message>
        <source>ChatDesk tries again later.</source>
        <translation>ChatDesk lo intenta de nuevo más tarde.</translation>
    </message>
    <message>
        <source>Summarising this thread would cost more than the limit.</source>
        <translation>Resumir esta conversación costaría más que el límite.</translation>
    </message>
    <message>
        <source>No summary was asked for; as many of the newest messages as fit are sent instead.</source>
        <translation>No se pidió ningún resumen; en su lugar se envían los mensajes más recientes que caben.</translation>
    </message>
    <message>
        <source>Allow it, or leave the thread as it is; the limit is in Settings, Usage and limits.</source>
        <translation>Permítelo o deja la conversación como está; el límite está en Ajustes, Uso y límites.</translation>
    </message>
    <message>
        <source>This thread is in the trash.</source>
        <translation>Esta conversación está en la papelera.</translation>
    </message>
    <message>
        <source>Restore it first.</source>
        <translation>Restáurala primero.</translation>
    </message>
    <message>
        <source>This message is in the trash.</source>
        <translation>Este mensaje está en la papelera.</translation>
    </message>
    <message>
        <source>An answer is still being written in this thread.</source>
        <translation>Todavía se está escribiendo una respuesta en esta conversación.</translation>
    </message>
    <message>
        <source>Wait for it or stop it first.</source>
        <translation>Espera a que termine o detenla primero.</translation>
    </message>
    <message>
        <source>The database could not be used.</source>
        <translation>No se pudo usar la base de datos.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor&apos; for details.</source>
        <translation>Ejecuta &apos;chatdesk doctor&apos; para ver los detalles.</translation>
    </message>
    <message>
        <source>The disk is full, so this could not be saved.</source>
        <translation>El disco está lleno, así que esto no se pudo guardar.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged, and your text is still in the window.</source>
        <translation>Todo lo guardado antes no ha cambiado, y tu texto sigue en la ventana.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged.</source>
        <translation>Todo lo guardado antes no ha cambiado.</translation>
    </message>
    <message>
        <source>Free some space and try again.</source>
        <translation>Libera espacio e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>The answer could not be saved.</source>
        <translation>No se pudo guardar la respuesta.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; of the answer only the beginning may be kept.</source>
        <translation>Lo guardado antes no ha cambiado; de la respuesta quizá solo se conserva el principio.</translation>
    </message>
    <message>
        <source>Free disk space or correct the permissions so that ChatDesk can save, then ask again.</source>
        <translation>Libera espacio o corrige los permisos para que ChatDesk pueda guardar, y pregunta de nuevo.</translation>
    </message>
    <message>
        <source>Another program is using the database.</source>
        <translation>Otro programa está usando la base de datos.</translation>
    </message>
    <message>
        <source>Close the other program or try again in a moment.</source>
        <translation>Cierra el otro programa o inténtalo de nuevo en un momento.</translation>
    </message>
    <message>
        <source>The database cannot be written to.</source>
        <translation>No se puede escribir en la base de datos.</translation>
    </message>
    <message>
        <source>You can still read everything.</source>
        <translation>Todavía puedes leerlo todo.</translation>
    </message>
    <message>
        <source>Check the permissions of the data directory.</source>
        <translation>Comprueba los permisos de la carpeta de datos.</translation>
    </message>
    <message>
        <source>The database file is damaged.</source>
        <translation>El archivo de la base de datos está dañado.</translation>
    </message>
    <message>
        <source>The file was left as it is; backups are in the backup directory.</source>
        <translation>El archivo se dejó como está; las copias están en la carpeta de copias.</translation>
    </message>
    <message>
        <source>Restore the newest backup, or copy out what can be read: &apos;chatdesk doctor --repair&apos;.</source>
        <translation>Restaura la copia de seguridad más reciente, o copia lo que se pueda leer: &apos;chatdesk doctor --repair&apos;.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;; if that does not help, send the report of &apos;chatdesk doctor&apos;.</source>
        <translation>Ejecuta &apos;chatdesk doctor --repair&apos;; si eso no ayuda, envía el informe de &apos;chatdesk doctor&apos;.</translation>
    </message>
    <message>
        <source>A database was here before, and now it is missing or empty.</source>
        <translation>Aquí había una base de datos, y ahora falta o está vacía.</translation>
    </message>
    <message>
        <source>Choose the export as its program wrote it.</source>
        <translation>Elige la exportación tal como la escribió su programa.</translation>
    </message>
    <message>
        <source>Nothing was created in its place.</source>
        <translation>No se creó nada en su lugar.</translation>
    </message>
    <message>
        <source>Restore the file or a backup; run &apos;chatdesk doctor&apos; for the paths.</source>
        <translation>Restaura el archivo o una copia; ejecuta &apos;chatdesk doctor&apos; para ver las rutas.</translation>
    </message>
    <message>
        <source>The database file was moved or replaced while ChatDesk was running.</source>
        <translation>El archivo de la base de datos se movió o reemplazó mientras ChatDesk funcionaba.</translation>
    </message>
    <message>
        <source>Writing has stopped so that nothing goes into the wrong file.</source>
        <translation>Se dejó de escribir para que nada vaya al archivo equivocado.</translation>
    </message>
    <message>
        <source>Close ChatDesk, put the file back, and start again.</source>
        <translation>Cierra ChatDesk, vuelve a poner el archivo en su sitio y abre ChatDesk de nuevo.</translation>
    </message>
    <message>
        <source>The database is out of reach: its drive, folder or file is not there.</source>
        <translation>La base de datos no está accesible: falta su unidad, su carpeta o su archivo.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else, and your text is still in the window.</source>
        <translation>No se escribió nada en ningún otro lugar, y tu texto sigue en la ventana.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else.</source>
        <translation>No se escribió nada en ningún otro lugar.</translation>
    </message>
    <message>
        <source>Connect the drive or put the file back; ChatDesk then continues by itself.</source>
        <translation>Conecta la unidad o devuelve el archivo a su sitio; después ChatDesk continúa por sí solo.</translation>
    </message>
    <message>
        <source>This database was written by a newer ChatDesk.</source>
        <translation>Esta base de datos es de una versión más reciente de ChatDesk.</translation>
    </message>
    <message>
        <source>It was not touched.</source>
        <translation>No se tocó.</translation>
    </message>
    <message>
        <source>Update ChatDesk to open it.</source>
        <translation>Actualiza ChatDesk para abrirla.</translation>
    </message>
    <message>
        <source>The database could not be upgraded.</source>
        <translation>No se pudo actualizar la base de datos.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is in the backup directory.</source>
        <translation>Se dejó como estaba y se puede leer; hay una copia comprobada en la carpeta de copias.</translation>
    </message>
    <message>
        <source>ChatDesk is already running on this data directory.</source>
        <translation>ChatDesk ya está en marcha con esta carpeta de datos.</translation>
    </message>
    <message>
        <source>Use the open window, or choose another --data-dir.</source>
        <translation>Usa la ventana abierta o elige otro --data-dir.</translation>
    </message>
    <message>
        <source>The output could not be written.</source>
        <translation>No se pudo escribir la salida.</translation>
    </message>
    <message>
        <source>Free some space, or send it elsewhere.</source>
        <translation>Libera espacio o envíala a otro lugar.</translation>
    </message>
    <message>
        <source>The export could not be written.</source>
        <translation>No se pudo escribir la exportación.</translation>
    </message>
    <message>
        <source>Your messages are unchanged, and nothing half-written was left.</source>
        <translation>Tus mensajes no han cambiado, y no quedó nada a medias.</translation>
    </message>
    <message>
        <source>You may read this shared project, but not write in it.</source>
        <translation>Puedes leer este proyecto compartido, pero no escribir en él.</translation>
    </message>
    <message>
        <source>Ask an owner or administrator of the project to let you edit.</source>
        <translation>Pide a un propietario o administrador del proyecto que te permita editar.</translation>
    </message>
    <message>
        <source>Another member wrote this, and your role lets you change and delete only what is yours.</source>
        <translation>Esto lo escribió otro miembro, y tu rol solo te permite cambiar y eliminar lo tuyo.</translation>
    </message>
    <message>
        <source>Ask the person who made it, or an owner or administrator of the project.</source>
        <translation>Pregunta a quien lo hizo, o a un propietario o administrador del proyecto.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not do what was asked.</source>
        <translation>La base de datos del equipo no hizo lo que se pidió.</translation>
    </message>
    <message>
        <source>Everything you wrote is kept on this computer.</source>
        <translation>Todo lo que escribiste se conserva en este dispositivo.</translation>
    </message>
    <message>
        <source>Open Details in the status line to see what it said.</source>
        <translation>Abre Detalles en la barra de estado para ver qué dijo.</translation>
    </message>
    <message>
        <source>The team&apos;s database was restored from a backup.</source>
        <translation>La base de datos del equipo se restauró desde una copia.</translation>
    </message>
    <message>
        <source>ChatDesk compares everything again and sends what that backup lacks.</source>
        <translation>ChatDesk lo compara todo de nuevo y envía lo que falta en esa copia.</translation>
    </message>
    <message>
        <source>Your message is kept.</source>
        <translation>Tu mensaje se conserva.</translation>
    </message>
    <message>
        <source>{who} sent something of another kind.</source>
        <translation>{who} envió algo de otro tipo.</translation>
    </message>
    <message>
        <source>It could not be loaded.</source>
        <translation>No se pudo cargar.</translation>
    </message>
    <message>
        <source>{host} did not answer in time.</source>
        <translation>{host} no respondió a tiempo.</translation>
    </message>
    <message>
        <source>{host} did not give an answer that can be used.</source>
        <translation>{host} no dio ninguna respuesta que se pueda usar.</translation>
    </message>
    <message>
        <source>The address leads to another server: {host}.</source>
        <translation>La dirección lleva a otro servidor: {host}.</translation>
    </message>
    <message>
        <source>{host} redirects in a circle.</source>
        <translation>{host} redirige en bucle.</translation>
    </message>
    <message>
        <source>{host} redirects to another address.</source>
        <translation>{host} redirige a otra dirección.</translation>
    </message>
    <message>
        <source>{host} is this computer or an address for machines only; nothing is loaded from there.</source>
        <translation>{host} es este mismo dispositivo o una dirección solo para máquinas; de ahí no se carga nada.</translation>
    </message>
    <message>
        <source>{host} is in a private network.</source>
        <translation>{host} está en una red privada.</translation>
    </message>
    <message>
        <source>Nothing can be loaded from this address.</source>
        <translation>De esta dirección no se puede cargar nada.</translation>
    </message>
    <message>
        <source>{hostname} answered with the error {status}.</source>
        <translation>{hostname} respondió con el error {status}.</translation>
    </message>
    <message>
        <source>The data came compressed in a way that ChatDesk did not ask for.</source>
        <translation>Los datos llegaron comprimidos de una forma que ChatDesk no había pedido.</translation>
    </message>
    <message>
        <source>The data did not arrive completely.</source>
        <translation>Los datos no llegaron completos.</translation>
    </message>
    <message>
        <source>The data is larger than {max_bytes} MB.</source>
        <translation>Los datos superan los {max_bytes} MB.</translation>
    </message>
    <message>
        <source>“{name}” beside it is a link or a file, not a folder</source>
        <translation>«{name}» junto a él es un enlace o un archivo, no una carpeta</translation>
    </message>
    <message>
        <source>The disk of {target} is full.</source>
        <translation>El disco de {target} está lleno.</translation>
    </message>
    <message>
        <source>Free some space, or choose another place.</source>
        <translation>Libera espacio o elige otro lugar.</translation>
    </message>
    <message>
        <source>{target} may not be written by this user.</source>
        <translation>Este usuario no puede escribir en {target}.</translation>
    </message>
    <message>
        <source>{target} is a folder.</source>
        <translation>{target} es una carpeta.</translation>
    </message>
    <message>
        <source>Name a file in it.</source>
        <translation>Indica un archivo dentro de ella.</translation>
    </message>
    <message>
        <source>The folder of {target} is not there.</source>
        <translation>No se encuentra la carpeta de {target}.</translation>
    </message>
    <message>
        <source>Put the drive back, or choose another place.</source>
        <translation>Vuelve a conectar la unidad o elige otro lugar.</translation>
    </message>
    <message>
        <source>No file can be made in {parent}.</source>
        <translation>No se puede crear un archivo en {parent}.</translation>
    </message>
    <message>
        <source>The name {name}… is too long for that place.</source>
        <translation>El nombre {name}… es demasiado largo para esa ubicación.</translation>
    </message>
    <message>
        <source>{target} could not be written: {strerror}.</source>
        <translation>No se pudo escribir {target}: {strerror}.</translation>
    </message>
    <message>
        <source>“chatdesk {purpose}” (process {pid}) is using this data directory.</source>
        <translation>«chatdesk {purpose}» (proceso {pid}) está usando esta carpeta de datos.</translation>
    </message>
    <message>
        <source>Wait until it has ended, then try again; or choose another --data-dir.</source>
        <translation>Espera a que termine e inténtalo de nuevo, o elige otro --data-dir.</translation>
    </message>
    <message>
        <source>Another process answers in the place of the ChatDesk that has this data directory open.</source>
        <translation>Otro proceso responde en lugar del ChatDesk que tiene abierta esta carpeta de datos.</translation>
    </message>
    <message>
        <source>Nothing was sent to it.</source>
        <translation>No se le envió nada.</translation>
    </message>
    <message>
        <source>Close ChatDesk and start it again; &apos;chatdesk doctor&apos; shows who owns the directory.</source>
        <translation>Cierra ChatDesk y ábrelo de nuevo; &apos;chatdesk doctor&apos; muestra de quién es la carpeta.</translation>
    </message>
    <message>
        <source>The ChatDesk that was answering has ended.</source>
        <translation>El ChatDesk que respondía se ha cerrado.</translation>
    </message>
    <message>
        <source>What had arrived of the answer is kept.</source>
        <translation>Lo que había llegado de la respuesta se conserva.</translation>
    </message>
    <message>
        <source>Ask again.</source>
        <translation>Pregunta de nuevo.</translation>
    </message>
    <message>
        <source>The disk is full, so ChatDesk can only read.</source>
        <translation>El disco está lleno, así que ChatDesk solo puede leer.</translation>
    </message>
    <message>
        <source>The data directory cannot be written to.</source>
        <translation>No se puede escribir en la carpeta de datos.</translation>
    </message>
    <message>
        <source>The file system of the data directory cannot lock files, so ChatDesk only reads from it.</source>
        <translation>El sistema de archivos de la carpeta de datos no puede bloquear archivos, así que ChatDesk solo lee de ella.</translation>
    </message>
    <message>
        <source>Choose a data directory on a local disk.</source>
        <translation>Elige una carpeta de datos en un disco local.</translation>
    </message>
    <message>
        <source>This ChatDesk does not do that.</source>
        <translation>Esta versión de ChatDesk no hace eso.</translation>
    </message>
    <message>
        <source>Too many commands ask this ChatDesk at once. Try again later.</source>
        <translation>Este ChatDesk recibe demasiados comandos a la vez. Inténtalo más tarde.</translation>
    </message>
    <message>
        <source>Something unexpected happened. The log says more.</source>
        <translation>Ocurrió algo inesperado. Hay más detalles en el registro.</translation>
    </message>
    <message>
        <source>There is no home directory: HOME is not set, and the system knows none for this user.</source>
        <translation>No hay carpeta personal: HOME no está definida, y el sistema no conoce ninguna para este usuario.</translation>
    </message>
    <message>
        <source>Set HOME, or choose an absolute directory with --data-dir.</source>
        <translation>Define HOME o elige una ruta absoluta con --data-dir.</translation>
    </message>
    <message>
        <source>The current directory no longer exists.</source>
        <translation>La carpeta actual ya no existe.</translation>
    </message>
    <message>
        <source>Go to another one, or choose an absolute directory with --data-dir.</source>
        <translation>Ve a otra o elige una ruta absoluta con --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: the name {data_dir} is not UTF-8.</source>
        <translation>No se puede usar la carpeta de datos: el nombre {data_dir} no es UTF-8.</translation>
    </message>
    <message>
        <source>Rename it, or choose another with --data-dir.</source>
        <translation>Renómbrala o elige otra con --data-dir.</translation>
    </message>
    <message>
        <source>The answer of {who} took longer than {duration} and was stopped.</source>
        <translation>La respuesta de {who} tardó más de {duration} y se detuvo.</translation>
    </message>
    <message>
        <source>Continue the answer, or try again.</source>
        <translation>Continúa la respuesta o inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>The base URL is not a web address.</source>
        <translation>La URL base no es una dirección web.</translation>
    </message>
    <message>
        <source>The base URL for {hostname} contains a user name or a password.</source>
        <translation>La URL base de {hostname} contiene un nombre de usuario o una contraseña.</translation>
    </message>
    <message>
        <source>The API key contains characters that no key has.</source>
        <translation>La clave de API contiene caracteres que no puede haber en una clave.</translation>
    </message>
    <message>
        <source>One of the extra headers contains characters that cannot be sent.</source>
        <translation>Una de las cabeceras adicionales contiene caracteres que no se pueden enviar.</translation>
    </message>
    <message>
        <source>The extra header Host names another server than the address.</source>
        <translation>La cabecera adicional Host indica un servidor distinto del de la dirección.</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there, or set the proxy of this provider.</source>
        <translation>El proxy que indica el sistema no se puede usar: {proxy}. Indica allí un proxy HTTP o define el proxy de este proveedor.</translation>
    </message>
    <message>
        <source>The file of certificates is not there.</source>
        <translation>No se encuentra el archivo de certificados.</translation>
    </message>
    <message>
        <source>Your message and the part of the answer that arrived are kept.</source>
        <translation>Tu mensaje y la parte de la respuesta que llegó se conservan.</translation>
    </message>
    <message>
        <source>There is no network connection to {who}.</source>
        <translation>No hay conexión de red con {who}.</translation>
    </message>
    <message>
        <source>Check the network, then try again; the offline model works without one.</source>
        <translation>Comprueba la red y vuelve a intentarlo; el modelo sin conexión funciona sin red.</translation>
    </message>
    <message>
        <source>The address of {who} could not be found.</source>
        <translation>No se encontró la dirección de {who}.</translation>
    </message>
    <message>
        <source>Check the network and the spelling of the base URL, then try again.</source>
        <translation>Comprueba la red y cómo está escrita la URL base, e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>{who} refused the connection.</source>
        <translation>{who} rechazó la conexión.</translation>
    </message>
    <message>
        <source>Check that the server is running and that the base URL names the right port.</source>
        <translation>Comprueba que el servidor funciona y que la URL base indica el puerto correcto.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate or encryption was not accepted.</source>
        <translation>La conexión con {who} no es segura: no se aceptó su certificado o su cifrado.</translation>
    </message>
    <message>
        <source>Check the clock of this computer, the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>Comprueba el reloj de este dispositivo, la URL base y el proxy si lo hay; no se envía nada hasta resolverlo.</translation>
    </message>
    <message>
        <source>{who} did not accept the request.</source>
        <translation>{who} no aceptó la petición.</translation>
    </message>
    <message>
        <source>Change the message or choose another model, then try again.</source>
        <translation>Cambia el mensaje o elige otro modelo, e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>{who} did not accept the API key.</source>
        <translation>{who} no aceptó la clave de API.</translation>
    </message>
    <message>
        <source>Check the API key in the settings.</source>
        <translation>Comprueba la clave de API en los ajustes.</translation>
    </message>
    <message>
        <source>The account at {who} has no credit left or has reached its spending limit.</source>
        <translation>La cuenta en {who} se ha quedado sin crédito o ha alcanzado su límite de gasto.</translation>
    </message>
    <message>
        <source>Check the billing page of the account, or choose another provider.</source>
        <translation>Comprueba la página de facturación de la cuenta o elige otro proveedor.</translation>
    </message>
    <message>
        <source>{who} does not allow this API key to do that.</source>
        <translation>{who} no permite eso a esta clave de API.</translation>
    </message>
    <message>
        <source>Choose another model, or ask the owner of the account.</source>
        <translation>Elige otro modelo o pregunta al titular de la cuenta.</translation>
    </message>
    <message>
        <source>{who} does not know this model or this address.</source>
        <translation>{who} no reconoce este modelo o esta dirección.</translation>
    </message>
    <message>
        <source>Choose another model, or check the base URL.</source>
        <translation>Elige otro modelo o comprueba la URL base.</translation>
    </message>
    <message>
        <source>{who} gave up on the request because it took too long.</source>
        <translation>{who} abandonó la petición porque tardaba demasiado.</translation>
    </message>
    <message>
        <source>Try again, or shorten the message.</source>
        <translation>Inténtalo de nuevo o acorta el mensaje.</translation>
    </message>
    <message>
        <source>{who} refused the request because it conflicts with another one.</source>
        <translation>{who} rechazó la petición porque entra en conflicto con otra.</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>Inténtalo de nuevo en un momento.</translation>
    </message>
    <message>
        <source>The thread is too long for this model.</source>
        <translation>La conversación es demasiado larga para este modelo.</translation>
    </message>
    <message>
        <source>Start a new thread, shorten the message, or choose a larger model.</source>
        <translation>Empieza una conversación nueva, acorta el mensaje o elige un modelo con una ventana mayor.</translation>
    </message>
    <message>
        <source>{who} is receiving too many requests.</source>
        <translation>{who} está recibiendo demasiadas peticiones.</translation>
    </message>
    <message>
        <source>Wait a moment, then try again.</source>
        <translation>Espera un momento e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>{who} had an internal error.</source>
        <translation>{who} tuvo un error interno.</translation>
    </message>
    <message>
        <source>Try again in a moment or choose another model.</source>
        <translation>Inténtalo de nuevo en un momento o elige otro modelo.</translation>
    </message>
    <message>
        <source>{who} could not be reached within {seconds} s.</source>
        <translation>No se pudo contactar con {who} en {seconds} s.</translation>
    </message>
    <message>
        <source>Check the network and the base URL, then try again.</source>
        <translation>Comprueba la red y la URL base, e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>{who} did not begin to answer within {seconds} s.</source>
        <translation>{who} no empezó a responder en {seconds} s.</translation>
    </message>
    <message>
        <source>Try again, or give it more time: “First word” of this provider, or provider.first_byte_timeout_s.</source>
        <translation>Inténtalo de nuevo o dale más tiempo: «Primera palabra» de este proveedor, o provider.first_byte_timeout_s.</translation>
    </message>
    <message>
        <source>Try again or choose another model.</source>
        <translation>Inténtalo de nuevo o elige otro modelo.</translation>
    </message>
    <message>
        <source>{who} stopped sending: no more of the answer arrived for {seconds} s.</source>
        <translation>{who} dejó de enviar: durante {seconds} s no llegó nada más de la respuesta.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address; ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} redirigió la petición a otra dirección; ChatDesk no la siguió, así que no se envió nada allí.</translation>
    </message>
    <message>
        <source>{who} redirected the request without saying where to.</source>
        <translation>{who} redirigió la petición sin decir adónde.</translation>
    </message>
    <message>
        <source>{who} redirected the request to an address that cannot be read.</source>
        <translation>{who} redirigió la petición a una dirección que no se puede leer.</translation>
    </message>
    <message>
        <source>{who} redirected the request to something that is not a web address, so nothing was sent there.</source>
        <translation>{who} redirigió la petición a algo que no es una dirección web, así que no se envió nada allí.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a way that would lose the message, so ChatDesk did not follow.</source>
        <translation>{who} redirigió la petición de una forma que haría perder el mensaje, así que ChatDesk no la siguió.</translation>
    </message>
    <message>
        <source>Check the base URL: a wrong path or a log-in page often causes this.</source>
        <translation>Comprueba la URL base: a menudo la causa es una ruta equivocada o una página de acceso.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address ({host}); ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} redirigió la petición a otra dirección ({host}); ChatDesk no la siguió, así que no se envió nada allí.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is self-signed.</source>
        <translation>La conexión con {who} no es segura: su certificado está autofirmado.</translation>
    </message>
    <message>
        <source>The connection to {who} was lost.</source>
        <translation>Se perdió la conexión con {who}.</translation>
    </message>
    <message>
        <source>{who} sent something that ChatDesk cannot read.</source>
        <translation>{who} envió algo que ChatDesk no puede leer.</translation>
    </message>
    <message>
        <source>Try again; if it stays so, check the base URL.</source>
        <translation>Inténtalo de nuevo; si sigue igual, comprueba la URL base.</translation>
    </message>
    <message>
        <source>{who} ended the answer without saying that it is finished, so it may be cut off.</source>
        <translation>{who} terminó la respuesta sin indicar que estaba completa, así que puede estar cortada.</translation>
    </message>
    <message>
        <source>{who} sent a web page or a file instead of an answer.</source>
        <translation>{who} envió una página web o un archivo en vez de una respuesta.</translation>
    </message>
    <message>
        <source>Check the base URL (it usually ends in /v1), and sign in first if this network has a log-in page.</source>
        <translation>Comprueba la URL base (suele acabar en /v1), e inicia sesión primero si esta red tiene una página de acceso.</translation>
    </message>
    <message>
        <source>{who} sent an empty answer.</source>
        <translation>{who} envió una respuesta vacía.</translation>
    </message>
    <message>
        <source>The content filter of {who} stopped the answer.</source>
        <translation>El filtro de contenido de {who} detuvo la respuesta.</translation>
    </message>
    <message>
        <source>Rephrase the message.</source>
        <translation>Reformula el mensaje.</translation>
    </message>
    <message>
        <source>{who} did not accept the image: it says that this model sees none.</source>
        <translation>{who} no aceptó la imagen: dice que este modelo no admite imágenes.</translation>
    </message>
    <message>
        <source>Send the question without the image, or choose another model.</source>
        <translation>Envía la pregunta sin la imagen o elige otro modelo.</translation>
    </message>
    <message>
        <source>{who} sent more data than an answer may have, so the connection was closed.</source>
        <translation>{who} envió más datos de los que puede tener una respuesta, así que se cerró la conexión.</translation>
    </message>
    <message>
        <source>Ask for a shorter answer, or choose another model.</source>
        <translation>Pide una respuesta más corta o elige otro modelo.</translation>
    </message>
    <message>
        <source>Set the base URL to the final address if you trust it.</source>
        <translation>Pon la dirección final como URL base si confías en ella.</translation>
    </message>
    <message>
        <source>There is no API key for {who}.</source>
        <translation>No hay clave de API para {who}.</translation>
    </message>
    <message>
        <source>Set OPENAI_API_KEY and start ChatDesk again, or choose the offline model.</source>
        <translation>Define OPENAI_API_KEY y reinicia ChatDesk, o elige el modelo sin conexión.</translation>
    </message>
    <message>
        <source>The request to {who} failed.</source>
        <translation>La petición a {who} falló.</translation>
    </message>
    <message>
        <source>{who} is overloaded at the moment.</source>
        <translation>{who} está sobrecargado ahora.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a circle, so ChatDesk gave up.</source>
        <translation>{who} redirigió la petición en bucle, así que ChatDesk la abandonó.</translation>
    </message>
    <message>
        <source>Check the base URL, then try again.</source>
        <translation>Comprueba la URL base e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>Check the clock of this computer; nothing is sent until this is solved.</source>
        <translation>Comprueba el reloj de este dispositivo; no se envía nada hasta resolverlo.</translation>
    </message>
    <message>
        <source>Check the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>Comprueba la URL base y el proxy si lo hay; no se envía nada hasta resolverlo.</translation>
    </message>
    <message>
        <source>If it is your own server, name its certificate&apos;s file in Settings, Providers; nothing is sent until this is solved.</source>
        <translation>Si es tu propio servidor, indica su archivo de certificado en Ajustes, Proveedores; no se envía nada hasta resolverlo.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is signed by an authority that this computer does not trust.</source>
        <translation>La conexión con {who} no es segura: su certificado lo firma una autoridad en la que este dispositivo no confía.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is not valid yet.</source>
        <translation>La conexión con {who} no es segura: su certificado aún no es válido.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate has expired.</source>
        <translation>La conexión con {who} no es segura: su certificado ha caducado.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another name.</source>
        <translation>La conexión con {who} no es segura: su certificado corresponde a otro nombre.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another address.</source>
        <translation>La conexión con {who} no es segura: su certificado corresponde a otra dirección.</translation>
    </message>
    <message numerus="yes">
        <source>{count} days</source>
        <comment>{count} day</comment>
        <translation>
            <numerusform>{count} día</numerusform>
            <numerusform>{count} días</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} hours</source>
        <comment>{count} hour</comment>
        <translation>
            <numerusform>{count} hora</numerusform>
            <numerusform>{count} horas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} minutes</source>
        <comment>{count} minute</comment>
        <translation>
            <numerusform>{count} minuto</numerusform>
            <numerusform>{count} minutos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} seconds</source>
        <comment>{count} second</comment>
        <translation>
            <numerusform>{count} segundo</numerusform>
            <numerusform>{count} segundos</numerusform>
        </translation>
    </message>
    <message>
        <source>This computer slept while the answer was being written, and the connection was lost.</source>
        <translation>Este dispositivo entró en suspensión mientras se escribía la respuesta, y se perdió la conexión.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while reading the answer.</source>
        <translation>ChatDesk cometió un error al leer la respuesta.</translation>
    </message>
    <message>
        <source>Try again; the log file has the details.</source>
        <translation>Inténtalo de nuevo; los detalles están en el archivo de registro.</translation>
    </message>
    <message>
        <source>Check the base URL in Settings, Providers: for most servers it ends in /v1.</source>
        <translation>Comprueba la URL base en Ajustes, Proveedores: en la mayoría de los servidores termina en /v1.</translation>
    </message>
    <message>
        <source>It says: “{quoted}”{stop}</source>
        <translation>Dice: «{quoted}»{stop}</translation>
    </message>
    <message>
        <source>Try again in {duration}.</source>
        <translation>Inténtalo de nuevo en {duration}.</translation>
    </message>
    <message>
        <source>{model} was retired by the company that made it.</source>
        <translation>El fabricante ha retirado {model}.</translation>
    </message>
    <message>
        <source>Choose another model; that company names {successor} in its place.</source>
        <translation>Elige otro modelo; el fabricante indica {successor} en su lugar.</translation>
    </message>
    <message>
        <source>Choose another model; the nearest are {nearest}.</source>
        <translation>Elige otro modelo; los más parecidos son {nearest}.</translation>
    </message>
    <message>
        <source>Enter its key in Settings, Providers (OPENAI_API_KEY works for OpenAI), or choose the offline model.</source>
        <translation>Introduce su clave en Ajustes, Proveedores (para OpenAI también sirve OPENAI_API_KEY), o elige el modelo sin conexión.</translation>
    </message>
    <message>
        <source>Correct it in the settings, then try again.</source>
        <translation>Corrígelo en los ajustes e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>{what} Nothing was sent.</source>
        <translation>{what} No se envió nada.</translation>
    </message>
    <message>
        <source>{who} offers no model.</source>
        <translation>{who} no ofrece ningún modelo.</translation>
    </message>
    <message>
        <source>Install or load a model on the server, then try again.</source>
        <translation>Instala o carga un modelo en el servidor e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>This took too long.</source>
        <translation>Esto tardó demasiado.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models are offered.</source>
        <comment>{count} model is offered.</comment>
        <translation>
            <numerusform>Se ofrece {count} modelo.</numerusform>
            <numerusform>Se ofrecen {count} modelos.</numerusform>
        </translation>
    </message>
    <message>
        <source>This server has no list of models; type their names.</source>
        <translation>Este servidor no tiene lista de modelos; escribe sus nombres.</translation>
    </message>
    <message>
        <source>No model to ask: choose one, then test again.</source>
        <translation>No hay modelo al que preguntar: elige uno y prueba de nuevo.</translation>
    </message>
    <message>
        <source>The server offers no model.</source>
        <translation>El servidor no ofrece ningún modelo.</translation>
    </message>
    <message>
        <source>{model} streams its answer.</source>
        <translation>{model} envía su respuesta de forma continua.</translation>
    </message>
    <message>
        <source>The server answers.</source>
        <translation>El servidor responde.</translation>
    </message>
    <message>
        <source>The connection is encrypted.</source>
        <translation>La conexión está cifrada.</translation>
    </message>
    <message>
        <source>Not encrypted: the address is http.</source>
        <translation>Sin cifrar: la dirección es http.</translation>
    </message>
    <message>
        <source>{status}: {sentence}</source>
        <translation>{status}: {sentence}</translation>
    </message>
    <message>
        <source>The key is accepted.</source>
        <translation>La clave es válida.</translation>
    </message>
    <message>
        <source>No key is needed.</source>
        <translation>No hace falta clave.</translation>
    </message>
    <message>
        <source>{who} reached the length limit before it wrote any of the answer.</source>
        <translation>{who} alcanzó el límite de longitud antes de escribir nada de la respuesta.</translation>
    </message>
    <message>
        <source>{who} called a tool that it was not offered, and wrote no answer.</source>
        <translation>{who} llamó a una herramienta que no se le ofreció y no escribió ninguna respuesta.</translation>
    </message>
    <message>
        <source>{switched_off} is switched off.</source>
        <translation>{switched_off} está desactivado.</translation>
    </message>
    <message>
        <source>Switch it on in Settings, Providers, or choose another model.</source>
        <translation>Actívalo en Ajustes, Proveedores, o elige otro modelo.</translation>
    </message>
    <message>
        <source>There is no provider called “{name}”.</source>
        <translation>No hay ningún proveedor llamado «{name}».</translation>
    </message>
    <message>
        <source>Choose another model; the providers are: {known}.</source>
        <translation>Elige otro modelo; los proveedores son: {known}.</translation>
    </message>
    <message>
        <source>{label} has no key yet.</source>
        <translation>{label} aún no tiene clave.</translation>
    </message>
    <message>
        <source>{label} is switched off.</source>
        <translation>{label} está desactivado.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models</source>
        <comment>{count} model</comment>
        <translation>
            <numerusform>{count} modelo</numerusform>
            <numerusform>{count} modelos</numerusform>
        </translation>
    </message>
    <message>
        <source>{label} answers and offers {number}.</source>
        <translation>{label} responde y ofrece {number}.</translation>
    </message>
    <message>
        <source>Your last message was cut off. Continue it exactly where it stops, in the middle of the word or line if need be. Do not repeat anything and do not add an introduction.</source>
        <translation>Tu último mensaje se cortó. Continúalo exactamente donde se detiene, en mitad de la palabra o línea si hace falta. No repitas nada ni añadas una introducción.</translation>
    </message>
    <message>
        <source>Looking further back would take long: only the newest part was searched.</source>
        <translation>Buscar más atrás llevaría mucho tiempo: solo se buscó en la parte más reciente.</translation>
    </message>
    <message>
        <source>The newest {most_ranked} matches were ranked; older ones follow.</source>
        <translation>Se ordenaron las {most_ranked} coincidencias más recientes; siguen las anteriores.</translation>
    </message>
    <message>
        <source>Older messages are still being indexed: {percent} %.</source>
        <translation>Los mensajes anteriores aún se están indexando: {percent} %.</translation>
    </message>
    <message>
        <source>Searching is not possible here: the search index is damaged. Your messages are not affected.</source>
        <translation>Aquí no se puede buscar: el índice de búsqueda está dañado. Esto no afecta a tus mensajes.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected; search again later.</source>
        <translation>El índice de búsqueda está dañado y se está reconstruyendo. Esto no afecta a tus mensajes; busca de nuevo más tarde.</translation>
    </message>
    <message>
        <source>That is not a place in these results.</source>
        <translation>Esa posición no existe en estos resultados.</translation>
    </message>
    <message>
        <source>Search again.</source>
        <translation>Busca de nuevo.</translation>
    </message>
    <message>
        <source>Summarise long threads</source>
        <translation>Resumir conversaciones largas</translation>
    </message>
    <message>
        <source>Older messages are sent as a summary. The messages themselves stay.</source>
        <translation>Los mensajes antiguos se envían como resumen. Los mensajes en sí se conservan.</translation>
    </message>
    <message>
        <source>Summaries</source>
        <translation>Resúmenes</translation>
    </message>
    <message>
        <source>Summarise when the window is</source>
        <translation>Resumir con la ventana al</translation>
    </message>
    <message>
        <source>% full</source>
        <translation>% de su capacidad</translation>
    </message>
    <message>
        <source>Summarise idle threads ahead</source>
        <translation>Resumir por adelantado conversaciones inactivas</translation>
    </message>
    <message>
        <source>So that your next question does not wait.</source>
        <translation>Para que tu próxima pregunta no espere.</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>Nunca</translation>
    </message>
    <message>
        <source>Every night at 3:00</source>
        <translation>Todas las noches a las 3:00</translation>
    </message>
    <message>
        <source>Every day at 12:00</source>
        <translation>Todos los días a las 12:00</translation>
    </message>
    <message>
        <source>Every Sunday at 3:00</source>
        <translation>Todos los domingos a las 3:00</translation>
    </message>
    <message>
        <source>Every hour</source>
        <translation>Cada hora</translation>
    </message>
    <message>
        <source>Titles of new threads</source>
        <translation>Títulos de conversaciones nuevas</translation>
    </message>
    <message>
        <source>Titles</source>
        <translation>Títulos</translation>
    </message>
    <message>
        <source>Written by the model</source>
        <translation>Escritos por el modelo</translation>
    </message>
    <message>
        <source>The start of the question</source>
        <translation>El principio de la pregunta</translation>
    </message>
    <message>
        <source>Limit for titles and summaries</source>
        <translation>Límite para títulos y resúmenes</translation>
    </message>
    <message>
        <source>tokens a day</source>
        <translation>tokens al día</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>Sin límite</translation>
    </message>
    <message>
        <source>Ask before a summary costs more than</source>
        <translation>Preguntar si un resumen cuesta más de</translation>
    </message>
    <message>
        <source>US dollars</source>
        <translation>dólares de EE. UU.</translation>
    </message>
    <message>
        <source>Never ask</source>
        <translation>No preguntar nunca</translation>
    </message>
    <message>
        <source>Ask before a summary takes more than</source>
        <translation>Preguntar si un resumen usa más de</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>tokens</translation>
    </message>
    <message>
        <source>it must be true or false</source>
        <translation>debe ser true o false</translation>
    </message>
    <message>
        <source>it must be a number</source>
        <translation>debe ser un número</translation>
    </message>
    <message>
        <source>it must be text</source>
        <translation>debe ser texto</translation>
    </message>
    <message>
        <source>it must be one of {choices}</source>
        <translation>debe ser uno de {choices}</translation>
    </message>
    <message>
        <source>it must be text without control characters</source>
        <translation>debe ser texto sin caracteres de control</translation>
    </message>
    <message>
        <source>it must be one line</source>
        <translation>debe ser una sola línea</translation>
    </message>
    <message>
        <source>it must be at least {minimum}</source>
        <translation>debe ser como mínimo {minimum}</translation>
    </message>
    <message>
        <source>it must be at most {maximum}</source>
        <translation>debe ser como máximo {maximum}</translation>
    </message>
    <message>
        <source>it must be a whole number</source>
        <translation>debe ser un número entero</translation>
    </message>
    <message>
        <source>it must be a table of names and texts, such as {&quot;X-Team&quot; = &quot;blue&quot;}</source>
        <translation>debe ser una tabla de nombres y textos, como {&quot;X-Team&quot; = &quot;blue&quot;}</translation>
    </message>
    <message>
        <source>names and values must be text</source>
        <translation>los nombres y valores deben ser texto</translation>
    </message>
    <message>
        <source>a name has letters, digits, dots and hyphens only</source>
        <translation>un nombre solo tiene letras, dígitos, puntos y guiones</translation>
    </message>
    <message>
        <source>a value must be one line</source>
        <translation>un valor debe ocupar una sola línea</translation>
    </message>
    <message>
        <source>each line must look like &apos;Name: value&apos;</source>
        <translation>cada línea debe tener la forma &apos;Nombre: valor&apos;</translation>
    </message>
    <message>
        <source>it must be a provider and a model, such as openai/gpt-5.4-mini</source>
        <translation>debe ser un proveedor y un modelo, como openai/gpt-5.4-mini</translation>
    </message>
    <message>
        <source>it must begin with https:// or http:// and name a server</source>
        <translation>debe empezar por https:// o http:// e indicar un servidor</translation>
    </message>
    <message>
        <source>it must not contain a password; use the keyring or OPENAI_API_KEY</source>
        <translation>no debe contener una contraseña; usa el llavero o OPENAI_API_KEY</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept under another name when it is read next.</source>
        <translation>El archivo {path} ({subject}) está dañado; se guardará con otro nombre la próxima vez que se lea.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} was written by a newer ChatDesk. What is known of it is used, and it is left as it is.</source>
        <translation>El archivo {path} ({subject}) es de una versión más reciente de ChatDesk. Se usa lo que se reconoce y se deja como está.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} cannot be read ({strerror}).</source>
        <translation>No se puede leer el archivo {path} ({subject}): {strerror}.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged and was left as it is.</source>
        <translation>El archivo {path} ({subject}) está dañado y se dejó como está.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept as {name}. Set the {subject} up again.</source>
        <translation>El archivo {path} ({subject}) está dañado; se conserva como {name}. Vuelve a hacer esa configuración.</translation>
    </message>
    <message>
        <source>The passphrase does not open the file of keys.</source>
        <translation>La frase de contraseña no abre el archivo de claves.</translation>
    </message>
    <message>
        <source>The keys are unchanged.</source>
        <translation>Las claves no han cambiado.</translation>
    </message>
    <message>
        <source>The file of keys cannot be read or written.</source>
        <translation>No se puede leer ni escribir el archivo de claves.</translation>
    </message>
    <message>
        <source>It was left as it is; keys hold until ChatDesk closes.</source>
        <translation>Se dejó como está; las claves valen hasta que ChatDesk se cierre.</translation>
    </message>
    <message>
        <source>Type it again; capital letters count. Without it, the keys have to be entered again.</source>
        <translation>Escríbela de nuevo; se distinguen mayúsculas y minúsculas. Sin ella hay que volver a introducir las claves.</translation>
    </message>
    <message>
        <source>Check the configuration directory, or delete the file keys.encrypted.json and enter the keys again.</source>
        <translation>Comprueba la carpeta de configuración, o elimina el archivo keys.encrypted.json e introduce las claves de nuevo.</translation>
    </message>
    <message>
        <source>The file of keys has not been opened in this run.</source>
        <translation>El archivo de claves no se ha abierto desde el inicio.</translation>
    </message>
    <message>
        <source>The keys in it are unchanged.</source>
        <translation>Las claves que contiene no han cambiado.</translation>
    </message>
    <message>
        <source>Enter its passphrase in Settings, Providers.</source>
        <translation>Introduce su frase de contraseña en Ajustes, Proveedores.</translation>
    </message>
    <message>
        <source>There is a file of keys already.</source>
        <translation>Ya hay un archivo de claves.</translation>
    </message>
    <message>
        <source>Enter its passphrase.</source>
        <translation>Introduce su frase de contraseña.</translation>
    </message>
    <message>
        <source>Straight rows of keys are easy to guess.</source>
        <translation>Las filas rectas de teclas son fáciles de adivinar.</translation>
    </message>
    <message>
        <source>Short keyboard patterns are easy to guess.</source>
        <translation>Los patrones cortos del teclado son fáciles de adivinar.</translation>
    </message>
    <message>
        <source>Repeats like &quot;aaa&quot; are easy to guess.</source>
        <translation>Repeticiones como «aaa» son fáciles de adivinar.</translation>
    </message>
    <message>
        <source>Repeats like &quot;abcabcabc&quot; are only slightly harder to guess than &quot;abc&quot;.</source>
        <translation>Repeticiones como «abcabcabc» son apenas más difíciles de adivinar que «abc».</translation>
    </message>
    <message>
        <source>Sequences like &quot;abc&quot; or &quot;6543&quot; are easy to guess.</source>
        <translation>Secuencias como «abc» o «6543» son fáciles de adivinar.</translation>
    </message>
    <message>
        <source>Recent years are easy to guess.</source>
        <translation>Los años recientes son fáciles de adivinar.</translation>
    </message>
    <message>
        <source>Dates are often easy to guess.</source>
        <translation>Las fechas suelen ser fáciles de adivinar.</translation>
    </message>
    <message>
        <source>This is a top-10 common password.</source>
        <translation>Es una de las 10 contraseñas más comunes.</translation>
    </message>
    <message>
        <source>This is a top-100 common password.</source>
        <translation>Es una de las 100 contraseñas más comunes.</translation>
    </message>
    <message>
        <source>This is a very common password.</source>
        <translation>Es una contraseña muy común.</translation>
    </message>
    <message>
        <source>This is similar to a commonly used password.</source>
        <translation>Se parece a una contraseña común.</translation>
    </message>
    <message>
        <source>A word by itself is easy to guess.</source>
        <translation>Una palabra sola es fácil de adivinar.</translation>
    </message>
    <message>
        <source>Names and surnames by themselves are easy to guess.</source>
        <translation>Un nombre o un apellido solo es fácil de adivinar.</translation>
    </message>
    <message>
        <source>Common names and surnames are easy to guess.</source>
        <translation>Los nombres y apellidos comunes son fáciles de adivinar.</translation>
    </message>
    <message>
        <source>A new passphrase: four words or more</source>
        <translation>Una frase de contraseña nueva: cuatro palabras o más</translation>
    </message>
    <message>
        <source>This passphrase is easy to guess.</source>
        <translation>Esta frase de contraseña es fácil de adivinar.</translation>
    </message>
    <message>
        <source>Four or five words that do not belong together are easy to remember and hard to guess.</source>
        <translation>Cuatro o cinco palabras que no van juntas son fáciles de recordar y difíciles de adivinar.</translation>
    </message>
    <message>
        <source>A passphrase of blanks guards nothing.</source>
        <translation>Una frase de contraseña formada solo por espacios no protege nada.</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address.</source>
        <translation>Cualquier dirección compatible con OpenAI.</translation>
    </message>
    <message>
        <source>Own server</source>
        <translation>Servidor propio</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address. Models are your deployments.</source>
        <translation>Introduce el nombre de tu recurso en la dirección. Los modelos son tus implementaciones.</translation>
    </message>
    <message>
        <source>The providers could not be saved.</source>
        <translation>No se pudieron guardar los proveedores.</translation>
    </message>
    <message>
        <source>The old file is unchanged; the change applies until ChatDesk closes.</source>
        <translation>El archivo anterior no ha cambiado; el cambio vale hasta que ChatDesk se cierre.</translation>
    </message>
    <message>
        <source>Check the permissions and the free space of the configuration directory.</source>
        <translation>Comprueba los permisos y el espacio libre de la carpeta de configuración.</translation>
    </message>
    <message>
        <source>providers</source>
        <translation>proveedores</translation>
    </message>
    <message>
        <source>The file of providers was written by a newer ChatDesk.</source>
        <translation>El archivo de proveedores es de una versión más reciente de ChatDesk.</translation>
    </message>
    <message>
        <source>Update ChatDesk to change it.</source>
        <translation>Actualiza ChatDesk para cambiarlo.</translation>
    </message>
    <message>
        <source>The file of providers {path} could not be written.</source>
        <translation>No se pudo escribir el archivo de proveedores {path}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} providers were left out: its entry in providers.json cannot be used.</source>
        <comment>{count} provider was left out: its entry in providers.json cannot be used.</comment>
        <translation>
            <numerusform>Se omitió {count} proveedor: su entrada en providers.json no se puede usar.</numerusform>
            <numerusform>Se omitieron {count} proveedores: sus entradas en providers.json no se pueden usar.</numerusform>
        </translation>
    </message>
    <message>
        <source>New threads use</source>
        <translation>Las conversaciones nuevas usan</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelos</translation>
    </message>
    <message>
        <source>The first provider that is ready</source>
        <translation>El primer proveedor que esté listo</translation>
    </message>
    <message>
        <source>The offline demo</source>
        <translation>La demostración sin conexión</translation>
    </message>
    <message>
        <source>Address of OpenAI</source>
        <translation>Dirección de OpenAI</translation>
    </message>
    <message>
        <source>Model of new threads</source>
        <translation>Modelo de las conversaciones nuevas</translation>
    </message>
    <message>
        <source>The provider&apos;s own choice</source>
        <translation>El que elija el proveedor</translation>
    </message>
    <message>
        <source>Headers for OpenAI</source>
        <translation>Cabeceras para OpenAI</translation>
    </message>
    <message>
        <source>Model for titles and summaries</source>
        <translation>Modelo para títulos y resúmenes</translation>
    </message>
    <message>
        <source>The thread&apos;s own model</source>
        <translation>El modelo de la conversación</translation>
    </message>
    <message>
        <source>Let models draw with their vendor&apos;s image tool</source>
        <translation>Dejar que los modelos dibujen con la herramienta de imágenes de su proveedor</translation>
    </message>
    <message>
        <source>Responses protocol only; no limit sees what drawing costs.</source>
        <translation>Solo con el protocolo Responses; ningún límite tiene en cuenta lo que cuesta dibujar.</translation>
    </message>
    <message>
        <source>Model for pictures</source>
        <translation>Modelo para imágenes</translation>
    </message>
    <message>
        <source>Offered where a model sees none.</source>
        <translation>Se ofrece cuando un modelo no admite imágenes.</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Ninguno</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>Longitud máxima de respuesta</translation>
    </message>
    <message>
        <source>The model&apos;s own limit</source>
        <translation>El límite del modelo</translation>
    </message>
    <message>
        <source>Keep the start of a thread for</source>
        <translation>Conservar el inicio de una conversación durante</translation>
    </message>
    <message>
        <source>Makes follow-up questions to Claude cheaper.</source>
        <translation>Abarata las siguientes preguntas a Claude.</translation>
    </message>
    <message>
        <source>5 minutes</source>
        <translation>5 minutos</translation>
    </message>
    <message>
        <source>1 hour</source>
        <translation>1 hora</translation>
    </message>
    <message>
        <source>Do not keep it</source>
        <translation>No conservarlo</translation>
    </message>
    <message>
        <source>Wait for a connection</source>
        <translation>Esperar la conexión</translation>
    </message>
    <message>
        <source>Slow servers</source>
        <translation>Servidores lentos</translation>
    </message>
    <message>
        <source>seconds</source>
        <translation>segundos</translation>
    </message>
    <message>
        <source>Wait for an answer to begin</source>
        <translation>Esperar a que empiece una respuesta</translation>
    </message>
    <message>
        <source>Servers on this computer and in the local network get ten times as long.</source>
        <translation>Los servidores de este dispositivo y de la red local tienen diez veces más tiempo.</translation>
    </message>
    <message>
        <source>Wait when an answer pauses</source>
        <translation>Esperar cuando una respuesta hace una pausa</translation>
    </message>
    <message>
        <source>When you are offline</source>
        <translation>Si no tienes conexión</translation>
    </message>
    <message>
        <source>Wait until you try again</source>
        <translation>Esperar a que lo intentes de nuevo</translation>
    </message>
    <message>
        <source>Send once you are online</source>
        <translation>Enviar cuando haya conexión</translation>
    </message>
    <message>
        <source>When you close the window during an answer</source>
        <translation>Si cierras la ventana durante una respuesta</translation>
    </message>
    <message>
        <source>Stop, and continue it later</source>
        <translation>Detenerla y continuarla después</translation>
    </message>
    <message>
        <source>Finish it first</source>
        <translation>Terminarla primero</translation>
    </message>
    <message>
        <source>Speed of the offline demo</source>
        <translation>Velocidad de la demostración sin conexión</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>tokens/s</translation>
    </message>
    <message>
        <source>Instructions for all threads</source>
        <translation>Instrucciones para todas las conversaciones</translation>
    </message>
    <message>
        <source>A project or thread with its own instructions uses those instead.</source>
        <translation>Un proyecto o una conversación con instrucciones propias usa las suyas.</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>Escritura</translation>
    </message>
    <message>
        <source>For example: answer briefly, in British English.</source>
        <translation>Por ejemplo: responde brevemente, en español.</translation>
    </message>
    <message>
        <source>custom instructions system prompt personality</source>
        <translation>instrucciones personalizadas prompt de sistema personalidad</translation>
    </message>
    <message>
        <source>Send at most</source>
        <translation>Enviar como máximo</translation>
    </message>
    <message>
        <source>For example 20/min or 200/day. Further messages wait their turn.</source>
        <translation>Por ejemplo, 20/min o 200/day. Los mensajes siguientes esperan su turno.</translation>
    </message>
    <message>
        <source>rate</source>
        <translation>frecuencia</translation>
    </message>
    <message>
        <source>Send at most, by provider and project</source>
        <translation>Enviar como máximo, por proveedor y proyecto</translation>
    </message>
    <message>
        <source>Longest message</source>
        <translation>Longitud máxima de un mensaje</translation>
    </message>
    <message>
        <source>Largest attached file</source>
        <translation>Tamaño máximo de un archivo adjunto</translation>
    </message>
    <message>
        <source>Most files in a message</source>
        <translation>Máximo de archivos por mensaje</translation>
    </message>
    <message>
        <source>files</source>
        <translation>archivos</translation>
    </message>
    <message>
        <source>Largest size of all files in a message</source>
        <translation>Tamaño total máximo de los archivos de un mensaje</translation>
    </message>
    <message>
        <source>Largest size of all files in a day</source>
        <translation>Tamaño total máximo de los archivos de un día</translation>
    </message>
    <message>
        <source>Kinds of files kept out</source>
        <translation>Tipos de archivo no admitidos</translation>
    </message>
    <message>
        <source>Such as video/*, application/zip.</source>
        <translation>Como video/*, application/zip.</translation>
    </message>
    <message>
        <source>Empty the trash after</source>
        <translation>Vaciar la papelera tras</translation>
    </message>
    <message>
        <source>Trash and archive</source>
        <translation>Papelera y archivo</translation>
    </message>
    <message>
        <source>days</source>
        <translation>días</translation>
    </message>
    <message>
        <source>deleted retention</source>
        <translation>eliminado retención</translation>
    </message>
    <message>
        <source>Move archived threads to the trash after</source>
        <translation>Mover conversaciones archivadas a la papelera tras</translation>
    </message>
    <message>
        <source>Keep a backup of each day for</source>
        <translation>Conservar una copia de cada día durante</translation>
    </message>
    <message>
        <source>Backups</source>
        <translation>Copias de seguridad</translation>
    </message>
    <message>
        <source>Before that, one of each week for</source>
        <translation>Antes de eso, una de cada semana durante</translation>
    </message>
    <message>
        <source>weeks</source>
        <translation>semanas</translation>
    </message>
    <message>
        <source>Notify about others&apos; messages</source>
        <translation>Avisar de mensajes de otros</translation>
    </message>
    <message>
        <source>Only while the window is not in front.</source>
        <translation>Solo si la ventana no está en primer plano.</translation>
    </message>
    <message>
        <source>With name and thread</source>
        <translation>Con nombre y conversación</translation>
    </message>
    <message>
        <source>With name, thread and text</source>
        <translation>Con nombre, conversación y texto</translation>
    </message>
    <message>
        <source>Detail of the log file</source>
        <translation>Nivel de detalle del registro</translation>
    </message>
    <message>
        <source>From the next start on.</source>
        <translation>A partir del próximo inicio.</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Registro</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>Todo</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>Normal</translation>
    </message>
    <message>
        <source>Warnings and failures</source>
        <translation>Avisos y fallos</translation>
    </message>
    <message>
        <source>Failures only</source>
        <translation>Solo fallos</translation>
    </message>
    <message>
        <source>Virus scanner (clamd)</source>
        <translation>Antivirus (clamd)</translation>
    </message>
    <message>
        <source>Its socket, such as /run/clamav/clamd.ctl, or host:port.</source>
        <translation>Su socket, como /run/clamav/clamd.ctl, o host:port.</translation>
    </message>
    <message>
        <source>Attached files</source>
        <translation>Archivos adjuntos</translation>
    </message>
    <message>
        <source>When the scanner does not answer</source>
        <translation>Si el antivirus no responde</translation>
    </message>
    <message>
        <source>Keep files out</source>
        <translation>No admitir archivos</translation>
    </message>
    <message>
        <source>Let files in</source>
        <translation>Admitir archivos</translation>
    </message>
    <message>
        <source>The key could not be put into the system&apos;s keyring.</source>
        <translation>No se pudo guardar la clave en el llavero del sistema.</translation>
    </message>
    <message>
        <source>It is used until ChatDesk closes and was not written to any file.</source>
        <translation>Se usará hasta que ChatDesk se cierre y no se ha escrito en ningún archivo.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers.</source>
        <translation>Desbloquea o instala un llavero, o elige el archivo cifrado en Ajustes, Proveedores.</translation>
    </message>
    <message>
        <source>The keyring did not answer; it may be locked or waiting for a password.</source>
        <translation>El llavero no respondió; quizá esté bloqueado o espere una contraseña.</translation>
    </message>
    <message>
        <source>no answer within {timeout_s} s</source>
        <translation>sin respuesta en {timeout_s} s</translation>
    </message>
    <message>
        <source>There is no keyring on this system.</source>
        <translation>No hay llavero en este sistema.</translation>
    </message>
    <message>
        <source>The keyring is locked.</source>
        <translation>El llavero está bloqueado.</translation>
    </message>
    <message>
        <source>The keyring failed ({name}).</source>
        <translation>El llavero falló ({name}).</translation>
    </message>
    <message>
        <source>Let other programs use ChatDesk</source>
        <translation>Dejar que otros programas usen ChatDesk</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>Puerto</translation>
    </message>
    <message>
        <source>The window and chatdesk serve listen on it.</source>
        <translation>La ventana y chatdesk serve escuchan en él.</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>en este dispositivo</translation>
    </message>
    <message>
        <source>Any that is free</source>
        <translation>Cualquiera que esté libre</translation>
    </message>
    <message>
        <source>api http rest</source>
        <translation>api http rest</translation>
    </message>
    <message>
        <source>Also listen on</source>
        <translation>Escuchar también en</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443. Needs a certificate.</source>
        <translation>Por ejemplo, 192.168.1.5:8443. Necesita un certificado.</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>Nada</translation>
    </message>
    <message>
        <source>Certificate</source>
        <translation>Certificado</translation>
    </message>
    <message>
        <source>A PEM file.</source>
        <translation>Un archivo PEM.</translation>
    </message>
    <message>
        <source>Key of the certificate</source>
        <translation>Clave del certificado</translation>
    </message>
    <message>
        <source>A PEM file without a passphrase.</source>
        <translation>Un archivo PEM sin frase de contraseña.</translation>
    </message>
    <message>
        <source>Let web pages of these origins ask</source>
        <translation>Permitir preguntas de páginas web de estos orígenes</translation>
    </message>
    <message>
        <source>For example https://tool.example. Each page still needs a token.</source>
        <translation>Por ejemplo, https://tool.example. Cada página necesita un token de todos modos.</translation>
    </message>
    <message>
        <source>cors origin browser website</source>
        <translation>cors origen navegador sitio web</translation>
    </message>
    <message>
        <source>The settings could not be saved.</source>
        <translation>No se pudieron guardar los ajustes.</translation>
    </message>
    <message>
        <source>The old settings file is unchanged; the new settings hold until ChatDesk closes.</source>
        <translation>El archivo de ajustes anterior no ha cambiado; los nuevos valen hasta que ChatDesk se cierre.</translation>
    </message>
    <message>
        <source>{key} in the settings file</source>
        <translation>{key} en el archivo de ajustes</translation>
    </message>
    <message>
        <source>{key} cannot be set: {error}.</source>
        <translation>No se puede establecer {key}: {error}.</translation>
    </message>
    <message>
        <source>The settings file {path} could not be written.</source>
        <translation>No se pudo escribir el archivo de ajustes {path}.</translation>
    </message>
    <message>
        <source>The settings file {path} cannot be read ({strerror}). Defaults are used; the file is unchanged.</source>
        <translation>No se puede leer el archivo de ajustes {path} ({strerror}). Se usan los valores predeterminados; el archivo no ha cambiado.</translation>
    </message>
    <message>
        <source>The settings file {path} is empty. Defaults are used; delete it if that is meant.</source>
        <translation>El archivo de ajustes {path} está vacío. Se usan los valores predeterminados; elimínalo si es lo que quieres.</translation>
    </message>
    <message>
        <source>kept as {name}</source>
        <translation>conservado como {name}</translation>
    </message>
    <message>
        <source>left as it is</source>
        <translation>dejado como está</translation>
    </message>
    <message>
        <source>The settings file {path} is damaged. Defaults are used; the damaged file is {where}.</source>
        <translation>El archivo de ajustes {path} está dañado. Se usan los valores predeterminados; el archivo dañado está {where}.</translation>
    </message>
    <message>
        <source>Steps of an answer</source>
        <translation>Pasos de una respuesta</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Límites</translation>
    </message>
    <message>
        <source>requests to the model</source>
        <translation>peticiones al modelo</translation>
    </message>
    <message>
        <source>Time for an answer</source>
        <translation>Tiempo máximo de una respuesta</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>minutos</translation>
    </message>
    <message>
        <source>Time for a call</source>
        <translation>Tiempo máximo de una llamada</translation>
    </message>
    <message>
        <source>Time for a server to start</source>
        <translation>Tiempo máximo de inicio de un servidor</translation>
    </message>
    <message>
        <source>Cost of an answer</source>
        <translation>Coste de una respuesta</translation>
    </message>
    <message>
        <source>No limit of its own</source>
        <translation>Sin límite propio</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Tema</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>Aspecto</translation>
    </message>
    <message>
        <source>colours colors dark mode appearance</source>
        <translation>colores oscuro modo apariencia</translation>
    </message>
    <message>
        <source>Same as the system</source>
        <translation>Como el sistema</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Claro</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Oscuro</translation>
    </message>
    <message>
        <source>Light, high contrast</source>
        <translation>Claro, alto contraste</translation>
    </message>
    <message>
        <source>Dark, high contrast</source>
        <translation>Oscuro, alto contraste</translation>
    </message>
    <message>
        <source>tour, help</source>
        <translation>visita, tour, ayuda, qué puedes</translation>
    </message>
    <message numerus="yes">
        <source>With your message I got these {count} files:</source>
        <comment>With your message I got this:</comment>
        <translation>
            <numerusform>Con tu mensaje recibí esto:</numerusform>
            <numerusform>Con tu mensaje recibí estos {count} archivos:</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}, an image of {size} pixels</source>
        <translation>{name}, una imagen de {size} píxeles</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind}), of which the beginning and the end fit</source>
        <translation>{name}, un archivo de {bytes} bytes ({kind}), del que caben el principio y el final</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind})</source>
        <translation>{name}, un archivo de {bytes} bytes ({kind})</translation>
    </message>
    <message>
        <source>You wrote nothing.</source>
        <translation>No escribiste nada.</translation>
    </message>
    <message>
        <source>You wrote: {question}</source>
        <translation>Escribiste: {question}</translation>
    </message>
    <message>
        <source>A small function, and how to call it:</source>
        <translation>Una función pequeña y cómo llamarla:</translation>
    </message>
    <message>
        <source>The `dict` keeps the order in which words were first seen.</source>
        <translation>El `dict` conserva el orden en que aparecieron las palabras.</translation>
    </message>
    <message>
        <source>in the application</source>
        <translation>en la aplicación</translation>
    </message>
    <message>
        <source>on a server</source>
        <translation>en un servidor</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Funciona</translation>
    </message>
    <message>
        <source>Good for</source>
        <translation>Sirve para</translation>
    </message>
    <message>
        <source>First release</source>
        <translation>Primera versión</translation>
    </message>
    <message>
        <source>one computer, one file</source>
        <translation>un dispositivo, un archivo</translation>
    </message>
    <message>
        <source>many people at once</source>
        <translation>muchas personas a la vez</translation>
    </message>
    <message>
        <source>analysing large tables</source>
        <translation>analizar tablas grandes</translation>
    </message>
    <message>
        <source>**Say what you want.** One sentence is enough.</source>
        <translation>**Di lo que quieres.** Basta una frase.</translation>
    </message>
    <message>
        <source>**Collect what you have.**</source>
        <translation>**Reúne lo que tienes.**</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>notas</translation>
    </message>
    <message>
        <source>examples</source>
        <translation>ejemplos</translation>
    </message>
    <message>
        <source>open questions</source>
        <translation>preguntas abiertas</translation>
    </message>
    <message>
        <source>**Try the smallest thing that could work**, then look at it again.</source>
        <translation>**Prueba lo más pequeño que podría funcionar** y revísalo después.</translation>
    </message>
    <message>
        <source>question asked</source>
        <translation>pregunta hecha</translation>
    </message>
    <message>
        <source>answer checked</source>
        <translation>respuesta comprobada</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Pasos</translation>
    </message>
    <message>
        <source>With {first} and {second}, the two roots of {equation} are $a$ and $b$ themselves:</source>
        <translation>Con {first} y {second}, las dos raíces de {equation} son $a$ y $b$:</translation>
    </message>
    <message>
        <source>Mathematics</source>
        <translation>Matemáticas</translation>
    </message>
    <message>
        <source>The sum of the first $n$ whole numbers is {total}.</source>
        <translation>La suma de los primeros $n$ números enteros es {total}.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Idioma</translation>
    </message>
    <message>
        <source>Hello</source>
        <translation>Hola</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>Gracias</translation>
    </message>
    <message>
        <source>Translation</source>
        <translation>Traducción</translation>
    </message>
    <message>
        <source>A real model would translate your own sentence.</source>
        <translation>Un modelo real traduciría tu propia frase.</translation>
    </message>
    <message>
        <source>An explanation comes with **bold** and *italic* words, with [links](https://example.org) and with quotations:</source>
        <translation>Una explicación lleva palabras en **negrita** y *cursiva*, [enlaces](https://example.org) y citas:</translation>
    </message>
    <message>
        <source>A good explanation is one that lets you predict what happens next.</source>
        <translation>Una buena explicación permite predecir lo que pasará después.</translation>
    </message>
    <message>
        <source>**What it is for** comes first.</source>
        <translation>**Para qué sirve** va primero.</translation>
    </message>
    <message>
        <source>**How it works** follows, part by part.</source>
        <translation>**Cómo funciona** viene después, parte por parte.</translation>
    </message>
    <message>
        <source>**Where it ends** closes it.</source>
        <translation>**Hasta dónde llega** la cierra.</translation>
    </message>
    <message>
        <source>Explanation</source>
        <translation>Explicación</translation>
    </message>
    <message>
        <source>Your message has **{words} words** and {characters} characters.</source>
        <translation>Tu mensaje tiene **{words} palabras** y {characters} caracteres.</translation>
    </message>
    <message>
        <source>In short</source>
        <translation>En resumen</translation>
    </message>
    <message>
        <source>hello, good morning</source>
        <translation>hola, buenos días, buenas tardes, buenas noches</translation>
    </message>
    <message>
        <source>code, function, program</source>
        <translation>código, función, programa, script, python</translation>
    </message>
    <message>
        <source>table, compare</source>
        <translation>tabla, compara</translation>
    </message>
    <message>
        <source>list, steps, plan, ideas</source>
        <translation>lista, pasos, plan, ideas</translation>
    </message>
    <message>
        <source>mathematics, formula, calculate</source>
        <translation>matemática, fórmula, ecuación, calcul</translation>
    </message>
    <message>
        <source>translate, translation</source>
        <translation>traduc</translation>
    </message>
    <message>
        <source>explain, why, what is</source>
        <translation>explica, por qué, qué es, qué son</translation>
    </message>
    <message>
        <source>summary, summarise</source>
        <translation>resum, en breve</translation>
    </message>
    <message>
        <source>Changes when ChatDesk starts again.</source>
        <translation>Cambia al reiniciar ChatDesk.</translation>
    </message>
    <message>
        <source>translation locale</source>
        <translation>traducción configuración regional</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>Tamaño del texto</translation>
    </message>
    <message>
        <source>font zoom</source>
        <translation>fuente zoom</translation>
    </message>
    <message>
        <source>Room for fingers</source>
        <translation>Espacio para los dedos</translation>
    </message>
    <message>
        <source>touch screen targets size density</source>
        <translation>pantalla táctil tocar objetivos tamaño densidad</translation>
    </message>
    <message>
        <source>When the screen is touched</source>
        <translation>Al tocar la pantalla</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>Siempre</translation>
    </message>
    <message>
        <source>Animations</source>
        <translation>Animaciones</translation>
    </message>
    <message>
        <source>movement</source>
        <translation>movimiento</translation>
    </message>
    <message>
        <source>On</source>
        <translation>Sí</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>No</translation>
    </message>
    <message>
        <source>Screen reader reads answers</source>
        <translation>El lector de pantalla lee las respuestas</translation>
    </message>
    <message>
        <source>Their start and end are always announced.</source>
        <translation>Su inicio y su fin se anuncian siempre.</translation>
    </message>
    <message>
        <source>speech voice</source>
        <translation>habla voz</translation>
    </message>
    <message>
        <source>No</source>
        <translation>No</translation>
    </message>
    <message>
        <source>When they are complete</source>
        <translation>Cuando estén completas</translation>
    </message>
    <message>
        <source>Sentence by sentence</source>
        <translation>Frase a frase</translation>
    </message>
    <message>
        <source>Send with</source>
        <translation>Enviar con</translation>
    </message>
    <message>
        <source>Shift+Enter always adds a line.</source>
        <translation>Mayús+Intro siempre añade una línea.</translation>
    </message>
    <message>
        <source>return key newline</source>
        <translation>tecla intro línea nueva</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Atajos de teclado</translation>
    </message>
    <message>
        <source>Press Ctrl+/ to see them at any time.</source>
        <translation>Pulsa Ctrl+/ para verlos en cualquier momento.</translation>
    </message>
    <message>
        <source>Show your messages</source>
        <translation>Mostrar tus mensajes</translation>
    </message>
    <message>
        <source>markdown</source>
        <translation>markdown</translation>
    </message>
    <message>
        <source>With formatting</source>
        <translation>Con formato</translation>
    </message>
    <message>
        <source>Exactly as typed</source>
        <translation>Tal como se escribieron</translation>
    </message>
    <message>
        <source>Notify when an answer is ready</source>
        <translation>Avisar cuando una respuesta esté lista</translation>
    </message>
    <message>
        <source>While you work in another window.</source>
        <translation>Mientras trabajas en otra ventana.</translation>
    </message>
    <message>
        <source>Desktop</source>
        <translation>Escritorio</translation>
    </message>
    <message>
        <source>If it took 10 seconds</source>
        <translation>Si tardó 10 segundos</translation>
    </message>
    <message>
        <source>Icon in the tray</source>
        <translation>Icono en la bandeja</translation>
    </message>
    <message>
        <source>system tray status close minimise background</source>
        <translation>bandeja sistema estado cerrar minimizar segundo plano</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Mostrar</translation>
    </message>
    <message>
        <source>Show, and keep running in it</source>
        <translation>Mostrar y seguir en marcha en ella</translation>
    </message>
    <message>
        <source>Start when you log in</source>
        <translation>Abrir al iniciar sesión</translation>
    </message>
    <message>
        <source>autostart boot</source>
        <translation>inicio automático arranque</translation>
    </message>
    <message>
        <source>When you delete a message</source>
        <translation>Al eliminar un mensaje</translation>
    </message>
    <message>
        <source>Ask about later ones</source>
        <translation>Preguntar por los posteriores</translation>
    </message>
    <message>
        <source>Delete only that one</source>
        <translation>Eliminar solo ese</translation>
    </message>
    <message>
        <source>Delete later ones too</source>
        <translation>Eliminar también los posteriores</translation>
    </message>
    <message>
        <source>Look for a new version once a day</source>
        <translation>Buscar una versión nueva una vez al día</translation>
    </message>
    <message>
        <source>The portable program only; “Updates…” says how yours is updated.</source>
        <translation>Solo el programa portátil; «Actualizaciones…» explica cómo se actualiza el tuyo.</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>Actualizaciones</translation>
    </message>
    <message>
        <source>update upgrade release</source>
        <translation>actualización actualizar versión nueva</translation>
    </message>
    <message>
        <source>A page is either around a message, or before or after one.</source>
        <translation>Una página está alrededor de un mensaje, o antes o después de él.</translation>
    </message>
    <message>
        <source>Only your own messages can be edited.</source>
        <translation>Solo se pueden editar tus propios mensajes.</translation>
    </message>
    <message>
        <source>Only an answer can get a version of this kind.</source>
        <translation>Solo una respuesta puede tener una versión de este tipo.</translation>
    </message>
    <message>
        <source>Only an answer that stopped before its end can be continued.</source>
        <translation>Solo se puede continuar una respuesta que se detuvo antes de su final.</translation>
    </message>
    <message>
        <source>Personal</source>
        <translation>Personal</translation>
    </message>
    <message>
        <source>This project is in the trash.</source>
        <translation>Este proyecto está en la papelera.</translation>
    </message>
    <message>
        <source>This is the last project, and new threads need one.</source>
        <translation>Es el último proyecto, y las conversaciones nuevas necesitan uno.</translation>
    </message>
    <message>
        <source>Make another one first.</source>
        <translation>Crea otro primero.</translation>
    </message>
    <message>
        <source>A project needs a name.</source>
        <translation>Un proyecto necesita un nombre.</translation>
    </message>
    <message>
        <source>A project&apos;s name has at most {longest_name} characters.</source>
        <translation>El nombre de un proyecto tiene como máximo {longest_name} caracteres.</translation>
    </message>
    <message>
        <source>Choose a shorter one.</source>
        <translation>Elige uno más corto.</translation>
    </message>
    <message>
        <source>This answer is not waiting to be started.</source>
        <translation>Esta respuesta no está a la espera de empezar.</translation>
    </message>
    <message>
        <source>This answer has ended; nothing can be added to it.</source>
        <translation>Esta respuesta ha terminado; no se le puede añadir nada.</translation>
    </message>
    <message>
        <source>A turn cannot end in a state that is not final.</source>
        <translation>Un turno no puede acabar en un estado que no sea final.</translation>
    </message>
    <message>
        <source>This answer has ended already.</source>
        <translation>Esta respuesta ya ha terminado.</translation>
    </message>
    <message>
        <source>There is a tag “{key}” already.</source>
        <translation>Ya hay una etiqueta «{key}».</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>Elige otro nombre.</translation>
    </message>
    <message>
        <source>A tag needs a name.</source>
        <translation>Una etiqueta necesita un nombre.</translation>
    </message>
    <message>
        <source>A tag&apos;s name has at most {longest_name} characters.</source>
        <translation>El nombre de una etiqueta tiene como máximo {longest_name} caracteres.</translation>
    </message>
    <message>
        <source>There is no tag with that id.</source>
        <translation>No hay ninguna etiqueta con ese identificador.</translation>
    </message>
    <message>
        <source>There is another tag “{name}” now.</source>
        <translation>Ahora hay otra etiqueta «{name}».</translation>
    </message>
    <message>
        <source>Rename that one and try again.</source>
        <translation>Renombra esa e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>That is not a place in the list.</source>
        <translation>Esa posición no existe en la lista.</translation>
    </message>
    <message>
        <source>Start from the first page.</source>
        <translation>Empieza por la primera página.</translation>
    </message>
    <message>
        <source>The text of this message was removed for good after its time in the trash.</source>
        <translation>El texto de este mensaje se eliminó definitivamente tras su tiempo en la papelera.</translation>
    </message>
    <message>
        <source>{thread_ids} of {thread_ids_2} threads are not, or no longer, in the trash.</source>
        <translation>{thread_ids} de {thread_ids_2} conversaciones no están, o ya no están, en la papelera.</translation>
    </message>
    <message>
        <source>Select those that are and try again.</source>
        <translation>Selecciona las que sí están e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>The backup that was just made is damaged, so it was not kept.</source>
        <translation>La copia recién hecha está dañada, así que no se conservó.</translation>
    </message>
    <message>
        <source>The backup that was just made is not complete, so it was not kept.</source>
        <translation>La copia recién hecha no está completa, así que no se conservó.</translation>
    </message>
    <message>
        <source>The database is not open.</source>
        <translation>La base de datos no está abierta.</translation>
    </message>
    <message>
        <source>The database is closed.</source>
        <translation>La base de datos está cerrada.</translation>
    </message>
    <message>
        <source>ChatDesk is reading this database while another program writes to it.</source>
        <translation>ChatDesk lee esta base de datos mientras otro programa escribe en ella.</translation>
    </message>
    <message>
        <source>The database {path} could not be used.</source>
        <translation>No se pudo usar la base de datos {path}.</translation>
    </message>
    <message>
        <source>Another program is using the database {path}.</source>
        <translation>Otro programa está usando la base de datos {path}.</translation>
    </message>
    <message>
        <source>The database {path} cannot be written to.</source>
        <translation>No se puede escribir en la base de datos {path}.</translation>
    </message>
    <message>
        <source>The database file {path} is damaged.</source>
        <translation>El archivo de base de datos {path} está dañado.</translation>
    </message>
    <message>
        <source>The disk of {folder} is full, so this could not be saved.</source>
        <translation>El disco de {folder} está lleno, así que no se pudo guardar.</translation>
    </message>
    <message>
        <source>The disk reported an error while {file} was used.</source>
        <translation>El disco comunicó un error al usar {file}.</translation>
    </message>
    <message>
        <source>the database</source>
        <translation>la base de datos</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; what was not confirmed counts as not saved.</source>
        <translation>Lo que se guardó antes no ha cambiado; lo que no se confirmó cuenta como no guardado.</translation>
    </message>
    <message>
        <source>Check the disk and its free space, then try again.</source>
        <translation>Comprueba el disco y su espacio libre, e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>Change its owner or permissions, or choose another data directory.</source>
        <translation>Cambia su propietario o permisos, o elige otra carpeta de datos.</translation>
    </message>
    <message>
        <source>{path} is a directory, not a database file.</source>
        <translation>{path} es una carpeta, no un archivo de base de datos.</translation>
    </message>
    <message>
        <source>Choose another data directory.</source>
        <translation>Elige otra carpeta de datos.</translation>
    </message>
    <message>
        <source>{path} is not a file, so it is no database.</source>
        <translation>{path} no es un archivo, así que no es una base de datos.</translation>
    </message>
    <message>
        <source>The directory {parent} does not exist.</source>
        <translation>La carpeta {parent} no existe.</translation>
    </message>
    <message>
        <source>Create it or choose another one.</source>
        <translation>Créala o elige otra.</translation>
    </message>
    <message>
        <source>The database file {path} may not be opened by this user.</source>
        <translation>Este usuario no puede abrir el archivo de base de datos {path}.</translation>
    </message>
    <message>
        <source>The directory {parent} may not be read by this user.</source>
        <translation>Este usuario no puede leer la carpeta {parent}.</translation>
    </message>
    <message>
        <source>No database can be created in {parent}.</source>
        <translation>No se puede crear una base de datos en {parent}.</translation>
    </message>
    <message>
        <source>The database file {path} cannot be opened.</source>
        <translation>No se puede abrir el archivo de base de datos {path}.</translation>
    </message>
    <message>
        <source>the last changes</source>
        <translation>los últimos cambios</translation>
    </message>
    <message>
        <source>The database is older than it was when ChatDesk last saved: {lost} may be missing. This happens when a backup was restored, or when a file was lost. Nothing else was changed. Look for a newer backup in the backup directory if you did not restore one yourself.</source>
        <translation>La base de datos es más antigua que cuando ChatDesk guardó por última vez: quizá falten {lost}. Esto ocurre cuando se restaura una copia de seguridad o se pierde un archivo. No se cambió nada más. Si no restauraste tú una copia, busca una más reciente en la carpeta de copias.</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk (schema {revision}, here {head_revision}), so this one can only read it.</source>
        <translation>Estos datos son de una versión más reciente de ChatDesk (esquema {revision}, aquí {head_revision}), así que esta solo puede leerlos.</translation>
    </message>
    <message>
        <source>You can read, search, copy and export your threads; nothing is changed.</source>
        <translation>Puedes leer, buscar, copiar y exportar tus conversaciones; no se cambia nada.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue writing, or restore the backup from before the upgrade (Help, Upgrades and the way back).</source>
        <translation>Actualiza ChatDesk para seguir escribiendo, o restaura la copia de antes de la actualización (Ayuda, Actualizaciones y vuelta atrás).</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}, and cannot read it: “{lacking}” is not there as it knows it.</source>
        <translation>Esta base de datos tiene la versión de esquema {revision}; este ChatDesk conoce versiones hasta la {head_revision} y no puede leerla: «{lacking}» no tiene la forma esperada.</translation>
    </message>
    <message>
        <source>This request was carried out before, and its result is no longer known.</source>
        <translation>Esta petición ya se realizó, y su resultado ya no se conoce.</translation>
    </message>
    <message>
        <source>This was done before.</source>
        <translation>Esto ya se hizo.</translation>
    </message>
    <message>
        <source>Nothing was done twice.</source>
        <translation>No se hizo nada dos veces.</translation>
    </message>
    <message>
        <source>This was changed by somebody else in the meantime.</source>
        <translation>Alguien lo cambió mientras tanto.</translation>
    </message>
    <message>
        <source>Look at the current state, then make your change again.</source>
        <translation>Mira el estado actual y vuelve a hacer tu cambio.</translation>
    </message>
    <message>
        <source>The database contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>La base de datos contiene algo que ChatDesk no puso ahí: {first}{more}.</translation>
    </message>
    <message>
        <source>None of it was used, and the file was left as it is.</source>
        <translation>No se usó nada de ello, y el archivo se dejó como está.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;: it copies your messages into a new database and keeps this one.</source>
        <translation>Ejecuta &apos;chatdesk doctor --repair&apos;: copia tus mensajes a una base nueva y conserva esta.</translation>
    </message>
    <message>
        <source>The file is a database, but not one of ChatDesk&apos;s.</source>
        <translation>El archivo es una base de datos, pero no de ChatDesk.</translation>
    </message>
    <message>
        <source>The database does not say which version its schema has, so it is damaged.</source>
        <translation>La base de datos no indica la versión de su esquema, así que está dañada.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}, from before the first release.</source>
        <translation>Esta base de datos tiene la versión de esquema {revision}, anterior a la primera versión publicada.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}.</source>
        <translation>Esta base de datos tiene la versión de esquema {revision}; este ChatDesk conoce versiones hasta la {head_revision}.</translation>
    </message>
    <message>
        <source>The database could not be upgraded from schema version {revision} to {head_revision}.</source>
        <translation>No se pudo actualizar la base de datos de la versión de esquema {revision} a la {head_revision}.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is at {saved}.</source>
        <translation>Se dejó como estaba y se puede leer; hay una copia comprobada en {saved}.</translation>
    </message>
    <message>
        <source>The database file is damaged, so it was not upgraded.</source>
        <translation>El archivo de la base de datos está dañado, así que no se actualizó.</translation>
    </message>
    <message>
        <source>The database must be upgraded, which needs {needed} MB of free space; there are {free} MB.</source>
        <translation>La base de datos debe actualizarse y para ello hacen falta {needed} MB libres; hay {free} MB.</translation>
    </message>
    <message>
        <source>The database was not touched.</source>
        <translation>La base de datos no se tocó.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk then continues by itself.</source>
        <translation>Libera espacio; después ChatDesk continúa por sí solo.</translation>
    </message>
    <message>
        <source>The upgrade would have left rows that point to nothing, so it was undone.</source>
        <translation>La actualización habría dejado filas que no apuntan a nada, así que se deshizo.</translation>
    </message>
    <message>
        <source>The upgrade would have changed the number of rows in {changed}; it was undone.</source>
        <translation>La actualización habría cambiado el número de filas de {changed}; se deshizo.</translation>
    </message>
    <message numerus="yes">
        <source>delete {count} threads</source>
        <comment>delete thread</comment>
        <translation>
            <numerusform>eliminar conversación</numerusform>
            <numerusform>eliminar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>restore {count} threads</source>
        <comment>restore thread</comment>
        <translation>
            <numerusform>restaurar conversación</numerusform>
            <numerusform>restaurar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tag {count} threads</source>
        <comment>tag thread</comment>
        <translation>
            <numerusform>etiquetar conversación</numerusform>
            <numerusform>etiquetar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message>
        <source>delete tag {name}</source>
        <translation>eliminar etiqueta {name}</translation>
    </message>
    <message>
        <source>delete project {name}</source>
        <translation>eliminar proyecto {name}</translation>
    </message>
    <message>
        <source>restore project {name}</source>
        <translation>restaurar proyecto {name}</translation>
    </message>
    <message>
        <source>This thread is gone for good.</source>
        <translation>Esta conversación se eliminó definitivamente.</translation>
    </message>
    <message>
        <source>{missing} of {thread_ids} threads are gone for good.</source>
        <translation>{missing} de {thread_ids} conversaciones se eliminaron definitivamente.</translation>
    </message>
    <message>
        <source>Select those that are left and try again.</source>
        <translation>Selecciona las que quedan e inténtalo de nuevo.</translation>
    </message>
    <message numerus="yes">
        <source>{count} of {all} threads are in the trash.</source>
        <comment>{count} of {all} threads is in the trash.</comment>
        <translation>
            <numerusform>{count} de {all} conversaciones está en la papelera.</numerusform>
            <numerusform>{count} de {all} conversaciones están en la papelera.</numerusform>
        </translation>
    </message>
    <message>
        <source>Restore them first, or select the others only.</source>
        <translation>Restáuralas primero o selecciona solo las otras.</translation>
    </message>
    <message>
        <source>A thread of a shared project cannot be moved out of it, because others have it, too.</source>
        <translation>Una conversación de un proyecto compartido no se puede sacar de él, porque otros también la tienen.</translation>
    </message>
    <message>
        <source>Export it, and import it into the other project.</source>
        <translation>Expórtala e impórtala en el otro proyecto.</translation>
    </message>
    <message>
        <source>The team knows this thread from the project it was shared in before.</source>
        <translation>El equipo conoce esta conversación por el proyecto en el que se compartía antes.</translation>
    </message>
    <message>
        <source>Branch it at its last message, and move the branch.</source>
        <translation>Crea una rama en su último mensaje y mueve la rama.</translation>
    </message>
    <message>
        <source>This project is shared, so you cannot delete it.</source>
        <translation>Este proyecto está compartido, así que no puedes eliminarlo.</translation>
    </message>
    <message>
        <source>Stop sharing it first; then delete your copy.</source>
        <translation>Deja de compartirlo primero; elimina después tu copia.</translation>
    </message>
    <message>
        <source>This project is shared by others, so you cannot delete it.</source>
        <translation>Este proyecto lo comparten otros, así que no puedes eliminarlo.</translation>
    </message>
    <message>
        <source>Leave it first; then delete your copy.</source>
        <translation>Sal de él primero; elimina después tu copia.</translation>
    </message>
    <message>
        <source>The library holds {most_prompts} prompts at most.</source>
        <translation>La biblioteca contiene como máximo {most_prompts} prompts.</translation>
    </message>
    <message>
        <source>Delete some that you do not use.</source>
        <translation>Elimina algunos que no uses.</translation>
    </message>
    <message>
        <source>The last changes cannot be shown: they are in the database&apos;s log, which can only be read where files can be created. Nothing was changed. Make the data directory writable, or copy it to a place that is, and start ChatDesk again.</source>
        <translation>No se pueden mostrar los últimos cambios: están en el registro de la base de datos, que solo se puede leer donde se pueden crear archivos. No se cambió nada. Haz que se pueda escribir en la carpeta de datos, o cópiala adonde se pueda, y abre ChatDesk de nuevo.</translation>
    </message>
    <message>
        <source>The disk of {directory} is full, so ChatDesk can only read.</source>
        <translation>El disco de {directory} está lleno, así que ChatDesk solo puede leer.</translation>
    </message>
    <message>
        <source>There is no database at {path}.</source>
        <translation>No hay base de datos en {path}.</translation>
    </message>
    <message>
        <source>Nothing was created.</source>
        <translation>No se creó nada.</translation>
    </message>
    <message>
        <source>Start ChatDesk once, or choose another --data-dir.</source>
        <translation>Inicia ChatDesk una vez o elige otro --data-dir.</translation>
    </message>
    <message>
        <source>No project is called “{value}”.</source>
        <translation>Ningún proyecto se llama «{value}».</translation>
    </message>
    <message>
        <source>No tag is called “{value}”.</source>
        <translation>Ninguna etiqueta se llama «{value}».</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk, whose search index this one cannot read.</source>
        <translation>Estos datos son de una versión más reciente de ChatDesk, cuyo índice de búsqueda esta no puede leer.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected.</source>
        <translation>El índice de búsqueda está dañado y se está reconstruyendo. Esto no afecta a tus mensajes.</translation>
    </message>
    <message>
        <source>Nobody else has this: its project is not shared.</source>
        <translation>Nadie más tiene esto: su proyecto no está compartido.</translation>
    </message>
    <message>
        <source>Delete it, and empty the trash.</source>
        <translation>Elimínalo y vacía la papelera.</translation>
    </message>
    <message>
        <source>You wrote none of this, so you cannot erase it for everybody.</source>
        <translation>No escribiste nada de esto, así que no puedes borrarlo para todos.</translation>
    </message>
    <message>
        <source>Ask an owner or admin of the project, who may erase what others wrote.</source>
        <translation>Pídeselo a un propietario o administrador del proyecto, que puede borrar lo que otros escribieron.</translation>
    </message>
    <message>
        <source>Your role in this project does not permit it. Ask one of its owners for another role, then try again.</source>
        <translation>Tu rol en este proyecto no lo permite. Pide otro rol a uno de sus propietarios e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>The thread or message that this belongs to is not on the team&apos;s server. Copy the text out to keep it elsewhere.</source>
        <translation>La conversación o el mensaje al que pertenece esto no está en el servidor del equipo. Copia el texto para guardarlo en otro lugar.</translation>
    </message>
    <message>
        <source>The team&apos;s server has something else in this place. Copy it out to keep it elsewhere.</source>
        <translation>El servidor del equipo tiene otra cosa aquí. Copia esto para guardarlo en otro lugar.</translation>
    </message>
    <message>
        <source>This is larger than the {max_body_bytes} MB that the team&apos;s server takes in one change. Copy it out, or write it in parts.</source>
        <translation>Esto supera los {max_body_bytes} MB que el servidor del equipo acepta en un cambio. Cópialo o escríbelo por partes.</translation>
    </message>
    <message>
        <source>Another member wrote something else here at the same time, which everybody sees. Try again to put this in its place, or copy it out.</source>
        <translation>Otro miembro escribió otra cosa aquí al mismo tiempo, y es lo que ven todos. Inténtalo de nuevo para poner esto en su lugar, o cópialo.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take this. Try again, or copy it out.</source>
        <translation>El servidor del equipo no lo aceptó. Inténtalo de nuevo, o cópialo.</translation>
    </message>
    <message>
        <source>There is no text in these changes that could be copied.</source>
        <translation>En estos cambios no hay texto que se pueda copiar.</translation>
    </message>
    <message>
        <source>This project is shared already.</source>
        <translation>Este proyecto ya está compartido.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted this thread; it is back because {by} wrote in it at the same time.</source>
        <translation>{deleted_by} eliminó esta conversación; ha vuelto porque {by} escribió en ella al mismo tiempo.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted a message here; it is back because {by} wrote below it at the same time.</source>
        <translation>{deleted_by} eliminó aquí un mensaje; ha vuelto porque {by} escribió debajo al mismo tiempo.</translation>
    </message>
    <message>
        <source>Messages are kept for 1 to {longest_retention_days} days.</source>
        <translation>Los mensajes se conservan de 1 a {longest_retention_days} días.</translation>
    </message>
    <message>
        <source>The daily backup was not made: it needs {needed} MB, {free} MB are free.</source>
        <translation>No se hizo la copia diaria: necesita {needed} MB y hay {free} MB libres.</translation>
    </message>
    <message>
        <source>Your messages are kept, and so are the older backups.</source>
        <translation>Tus mensajes se conservan, y también las copias anteriores.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk tries again within the hour.</source>
        <translation>Libera espacio; ChatDesk lo vuelve a intentar en menos de una hora.</translation>
    </message>
    <message>
        <source>no backup</source>
        <translation>ninguna copia de seguridad</translation>
    </message>
    <message>
        <source>Your messages and the older backups are unchanged.</source>
        <translation>Tus mensajes y las copias de seguridad anteriores no han cambiado.</translation>
    </message>
    <message>
        <source>Check the disk; ChatDesk tries again within the hour.</source>
        <translation>Comprueba el disco; ChatDesk lo vuelve a intentar en menos de una hora.</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk.</source>
        <translation>{name} no es una copia de seguridad completa de ChatDesk.</translation>
    </message>
    <message>
        <source>Choose another backup.</source>
        <translation>Elige otra copia.</translation>
    </message>
    <message>
        <source>There is no backup at {path}.</source>
        <translation>No hay ninguna copia en {path}.</translation>
    </message>
    <message>
        <source>The daily check found damage in the database file.</source>
        <translation>La comprobación diaria encontró daños en el archivo de la base de datos.</translation>
    </message>
    <message>
        <source>Nothing was changed, and what you see can still be read; there is no backup yet.</source>
        <translation>No se cambió nada, y lo que ves aún se puede leer; todavía no hay copia.</translation>
    </message>
    <message>
        <source>Export the threads you need, then run &apos;chatdesk doctor&apos; for details.</source>
        <translation>Exporta las conversaciones que necesites, y ejecuta &apos;chatdesk doctor&apos; para ver los detalles.</translation>
    </message>
    <message>
        <source>Nothing was changed. The newest good backup is {path}.</source>
        <translation>No se cambió nada. La copia buena más reciente es {path}.</translation>
    </message>
    <message>
        <source>Export what is newer than that, then restore the backup: Settings, Data and backup, or &apos;chatdesk restore&apos;.</source>
        <translation>Exporta lo que sea más reciente, y restaura la copia: Ajustes, Datos y copias, o &apos;chatdesk restore&apos;.</translation>
    </message>
    <message>
        <source>Project {project} is in the trash, but not all of its threads are.</source>
        <translation>El proyecto {project} está en la papelera, pero no todas sus conversaciones lo están.</translation>
    </message>
    <message>
        <source>Messages of thread {thread} are out of place.</source>
        <translation>Hay mensajes de la conversación {thread} fuera de su lugar.</translation>
    </message>
    <message>
        <source>In thread {thread} a message that is chosen below another is not below it.</source>
        <translation>En la conversación {thread}, un mensaje elegido debajo de otro no está debajo de él.</translation>
    </message>
    <message>
        <source>The choice of shown messages of thread {thread} is broken.</source>
        <translation>La selección de mensajes mostrados de la conversación {thread} está dañada.</translation>
    </message>
    <message>
        <source>The file of part {part} is missing in the list of files.</source>
        <translation>El archivo de la parte {part} no figura en la lista de archivos.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects with threads outside the trash were taken out of the trash.</source>
        <comment>{count} project with threads outside the trash was taken out of the trash.</comment>
        <translation>
            <numerusform>Se sacó de la papelera {count} proyecto con conversaciones fuera de ella.</numerusform>
            <numerusform>Se sacaron de la papelera {count} proyectos con conversaciones fuera de ella.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The messages of {count} threads were put in their places again.</source>
        <comment>The messages of {count} thread were put in their places again.</comment>
        <translation>
            <numerusform>Los mensajes de {count} conversación se pusieron de nuevo en su sitio.</numerusform>
            <numerusform>Los mensajes de {count} conversaciones se pusieron de nuevo en su sitio.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Choices of versions that led nowhere were removed in {count} threads.</source>
        <comment>Choices of versions that led nowhere were removed in {count} thread.</comment>
        <translation>
            <numerusform>Se quitaron elecciones de versiones que no llevaban a ninguna parte en {count} conversación.</numerusform>
            <numerusform>Se quitaron elecciones de versiones que no llevaban a ninguna parte en {count} conversaciones.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The choice of shown messages was repaired in {count} threads.</source>
        <comment>The choice of shown messages was repaired in {count} thread.</comment>
        <translation>
            <numerusform>Se reparó la selección de mensajes mostrados en {count} conversación.</numerusform>
            <numerusform>Se reparó la selección de mensajes mostrados en {count} conversaciones.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files were entered in the list of files again, from which they were missing.</source>
        <comment>{count} attached file was entered in the list of files again, from which it was missing.</comment>
        <translation>
            <numerusform>Se volvió a anotar en la lista de archivos {count} archivo adjunto que faltaba.</numerusform>
            <numerusform>Se volvieron a anotar en la lista de archivos {count} archivos adjuntos que faltaban.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database as it was before the repair is kept at {kept}.</source>
        <translation>La base de datos tal como estaba antes de la reparación se conserva en {kept}.</translation>
    </message>
    <message>
        <source>Nothing was wrong.</source>
        <translation>No había ningún problema.</translation>
    </message>
    <message>
        <source>The file is too damaged for SQLite to check it.</source>
        <translation>El archivo está demasiado dañado para que SQLite lo compruebe.</translation>
    </message>
    <message>
        <source>The search index was rebuilt; it is filled in the background.</source>
        <translation>El índice de búsqueda se reconstruyó; se rellena en segundo plano.</translation>
    </message>
    <message numerus="yes">
        <source>The last shown message was determined again in {count} threads.</source>
        <comment>The last shown message was determined again in {count} thread.</comment>
        <translation>
            <numerusform>Se volvió a determinar el último mensaje mostrado en {count} conversación.</numerusform>
            <numerusform>Se volvió a determinar el último mensaje mostrado en {count} conversaciones.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The counters of {count} threads were corrected.</source>
        <comment>The counters of {count} thread were corrected.</comment>
        <translation>
            <numerusform>Se corrigieron los contadores de {count} conversación.</numerusform>
            <numerusform>Se corrigieron los contadores de {count} conversaciones.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads whose project is missing were moved to a private project.</source>
        <comment>{count} thread whose project is missing was moved to a private project.</comment>
        <translation>
            <numerusform>{count} conversación cuyo proyecto falta se movió a un proyecto privado.</numerusform>
            <numerusform>{count} conversaciones cuyo proyecto falta se movieron a un proyecto privado.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages whose previous message is missing now begin a version of their own.</source>
        <comment>{count} message whose previous message is missing now begins a version of its own.</comment>
        <translation>
            <numerusform>{count} mensaje cuyo mensaje anterior falta empieza ahora una versión propia.</numerusform>
            <numerusform>{count} mensajes cuyo mensaje anterior falta empiezan ahora una versión propia.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts whose thread is missing were added to the draft of a new thread.</source>
        <comment>{count} draft whose thread is missing was added to the draft of a new thread.</comment>
        <translation>
            <numerusform>{count} borrador cuya conversación falta se añadió al borrador de una conversación nueva.</numerusform>
            <numerusform>{count} borradores cuya conversación falta se añadieron al borrador de una conversación nueva.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} rows of {table} that belonged to nothing were removed.</source>
        <comment>{count} row of {table} that belonged to nothing was removed.</comment>
        <translation>
            <numerusform>Se quitó {count} fila de {table} que no pertenecía a nada.</numerusform>
            <numerusform>Se quitaron {count} filas de {table} que no pertenecían a nada.</numerusform>
        </translation>
    </message>
    <message>
        <source>The search index is damaged.</source>
        <translation>El índice de búsqueda está dañado.</translation>
    </message>
    <message>
        <source>The file itself is damaged (problems found: {found}), so nothing was changed in it.</source>
        <translation>El propio archivo está dañado (problemas encontrados: {found}), así que no se cambió nada en él.</translation>
    </message>
    <message>
        <source>It was left as it is; a backup may still have the original.</source>
        <translation>Se dejó como está; quizá una copia de seguridad conserve el original.</translation>
    </message>
    <message>
        <source>A backup made with &apos;chatdesk backup FILE&apos; contains it, if it was made in time.</source>
        <translation>Una copia hecha con &apos;chatdesk backup FILE&apos; lo contiene, si se hizo a tiempo.</translation>
    </message>
    <message>
        <source>It could not be repaired.</source>
        <translation>No se pudo reparar.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads that had lost title and settings are called “{recovered_title}”.</source>
        <comment>{count} thread that had lost title and settings is called “{recovered_title}”.</comment>
        <translation>
            <numerusform>{count} conversación que había perdido título y ajustes se llama «{recovered_title}».</numerusform>
            <numerusform>{count} conversaciones que habían perdido título y ajustes se llaman «{recovered_title}».</numerusform>
        </translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;: then what was lost of shared projects is fetched from the team&apos;s server as far as it is there.</source>
        <translation>Pulsa «Conectar de nuevo» en Ajustes, Sincronización del equipo, o ejecuta &apos;chatdesk team join&apos;: entonces se trae del servidor del equipo lo que se perdió de los proyectos compartidos, en la medida en que esté allí.</translation>
    </message>
    <message>
        <source>Restore a backup, or close ChatDesk and run &apos;chatdesk doctor --repair&apos;, which copies what can still be read.</source>
        <translation>Restaura una copia, o cierra ChatDesk y ejecuta &apos;chatdesk doctor --repair&apos;, que copia lo que aún se puede leer.</translation>
    </message>
    <message>
        <source>{name} needs more time or memory than a backup of its size should, so ChatDesk stopped reading it.</source>
        <translation>{name} necesita más tiempo o memoria de lo debido para una copia de su tamaño, así que ChatDesk dejó de leerlo.</translation>
    </message>
    <message>
        <source>Checking the backup needs up to {needed} MB; {free} MB are free.</source>
        <translation>Comprobar la copia de seguridad necesita hasta {needed} MB; hay {free} MB libres.</translation>
    </message>
    <message>
        <source>{name} would fill the disk if it were unpacked, so it was not.</source>
        <translation>{name} llenaría el disco al descomprimirlo, así que no se descomprimió.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk for the contents of the backup.</source>
        <translation>No hay suficiente espacio en el disco para el contenido de la copia de seguridad.</translation>
    </message>
    <message>
        <source>This backup was written by a newer ChatDesk.</source>
        <translation>Esta copia es de una versión más reciente de ChatDesk.</translation>
    </message>
    <message>
        <source>Update ChatDesk to restore it.</source>
        <translation>Actualiza ChatDesk para restaurarla.</translation>
    </message>
    <message>
        <source>{name} contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>{name} contiene algo que ChatDesk no puso ahí: {first}{more}.</translation>
    </message>
    <message>
        <source>{name} is damaged: some messages are replies to themselves.</source>
        <translation>{name} está dañado: algunos mensajes son respuestas a sí mismos.</translation>
    </message>
    <message>
        <source>the column {column} of the table {table}</source>
        <translation>la columna {column} de la tabla {table}</translation>
    </message>
    <message>
        <source>the table {table}</source>
        <translation>la tabla {table}</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk: {lack} is missing.</source>
        <translation>{name} no es una copia de seguridad completa de ChatDesk: falta {lack}.</translation>
    </message>
    <message>
        <source>Nothing could be read from the damaged database.</source>
        <translation>No se pudo leer nada de la base de datos dañada.</translation>
    </message>
    <message>
        <source>It was left as it is.</source>
        <translation>Se dejó como está.</translation>
    </message>
    <message>
        <source>Restore the newest backup.</source>
        <translation>Restaura la copia más reciente.</translation>
    </message>
    <message>
        <source>Messages that could not be read but whose text was recovered in place: {placed}.</source>
        <translation>Mensajes que no se pudieron leer, pero cuyo texto se recuperó en su lugar: {placed}.</translation>
    </message>
    <message>
        <source>Recovered texts whose messages are lost, now in the thread “{title}”: {apart}.</source>
        <translation>Textos recuperados cuyos mensajes se perdieron, ahora en la conversación «{title}»: {apart}.</translation>
    </message>
    <message>
        <source>Putting in order what was copied…</source>
        <translation>Ordenando lo que se copió…</translation>
    </message>
    <message>
        <source>Problems that are left: {wrong}; &apos;chatdesk doctor&apos; lists them.</source>
        <translation>Problemas que quedan: {wrong}; &apos;chatdesk doctor&apos; los muestra.</translation>
    </message>
    <message>
        <source>{name}: the table could not be found in the file.</source>
        <translation>{name}: la tabla no se encontró en el archivo.</translation>
    </message>
    <message>
        <source>{name}: the table had lost its definition.</source>
        <translation>{name}: la tabla había perdido su definición.</translation>
    </message>
    <message>
        <source>Reading {name}: {number} rows…</source>
        <translation>Leyendo {name}: {number} filas…</translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows had values that could not be read.</source>
        <comment>{name}: {count} row had values that could not be read.</comment>
        <translation>
            <numerusform>{name}: {count} fila tenía valores que no se pudieron leer.</numerusform>
            <numerusform>{name}: {count} filas tenían valores que no se pudieron leer.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}: this is not a table of ChatDesk, so it was left out.</source>
        <translation>{name}: no es una tabla de ChatDesk, así que se dejó fuera.</translation>
    </message>
    <message numerus="yes">
        <source>{count} places</source>
        <comment>{count} place</comment>
        <translation>
            <numerusform>{count} lugar</numerusform>
            <numerusform>{count} lugares</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {places} could not be read.</source>
        <comment>{name}: {count} row was copied; {places} could not be read.</comment>
        <translation>
            <numerusform>{name}: se copió {count} fila; no se pudo leer en {places}.</numerusform>
            <numerusform>{name}: se copiaron {count} filas; no se pudo leer en {places}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {left_out} that are there twice or make no sense were not.</source>
        <comment>{name}: {count} row was copied; {left_out} that are there twice or make no sense were not.</comment>
        <translation>
            <numerusform>{name}: se copió {count} fila; no se copiaron {left_out} que están repetidas o no tienen sentido.</numerusform>
            <numerusform>{name}: se copiaron {count} filas; no se copiaron {left_out} que están repetidas o no tienen sentido.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: all {count} rows were copied.</source>
        <comment>{name}: the {count} row was copied.</comment>
        <translation>
            <numerusform>{name}: se copió la {count} fila.</numerusform>
            <numerusform>{name}: se copiaron las {count} filas.</numerusform>
        </translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which only this computer reaches. Give the workspace a name or IP address that others reach before you invite anybody: Settings, Team sync, Address.</source>
        <translation>La invitación indica el servidor «{host}», al que solo llega este dispositivo. Da al espacio de trabajo un nombre o una dirección IP a la que otros lleguen antes de invitar a nadie: Ajustes, Sincronización del equipo, Dirección.</translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which is found in your own network only. Whoever is elsewhere needs a way into it, such as a VPN.</source>
        <translation>La invitación indica el servidor «{host}», que solo se encuentra en tu propia red. Quien esté fuera necesita una vía de acceso, como una VPN.</translation>
    </message>
    <message>
        <source>That is not the address of a Postgres database.</source>
        <translation>Esa no es la dirección de una base de datos Postgres.</translation>
    </message>
    <message>
        <source>It looks like postgresql://name:password@db.example.org:5432/team; the server&apos;s operator shows it.</source>
        <translation>Tiene la forma postgresql://name:password@db.example.org:5432/team; la conoce quien administra el servidor.</translation>
    </message>
    <message>
        <source>“{host}” is neither the name nor the IP address of a server.</source>
        <translation>«{host}» no es ni el nombre ni la dirección IP de un servidor.</translation>
    </message>
    <message>
        <source>A port is a number from 1 to 65535.</source>
        <translation>Un puerto es un número de 1 a 65535.</translation>
    </message>
    <message>
        <source>The name of the database is missing, or has characters that ChatDesk does not accept.</source>
        <translation>Falta el nombre de la base de datos, o tiene caracteres que ChatDesk no acepta.</translation>
    </message>
    <message>
        <source>The name of the login is missing, or has characters that ChatDesk does not accept.</source>
        <translation>Falta el nombre de la cuenta, o tiene caracteres que ChatDesk no acepta.</translation>
    </message>
    <message>
        <source>ChatDesk does not know this kind of encryption.</source>
        <translation>ChatDesk no conoce este tipo de cifrado.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of text for each member.</source>
        <translation>Has alcanzado el límite diario de texto por miembro del espacio de trabajo.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of text for each project.</source>
        <translation>Este proyecto ha alcanzado el límite diario de texto por proyecto del espacio de trabajo.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of files for each member.</source>
        <translation>Has alcanzado el límite diario de archivos por miembro del espacio de trabajo.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of files for each project.</source>
        <translation>Este proyecto ha alcanzado el límite diario de archivos por proyecto del espacio de trabajo.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of changes a minute for each member.</source>
        <translation>Has alcanzado el límite de cambios por minuto y miembro del espacio de trabajo.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself tomorrow (UTC). An owner of the workspace can raise the limit.</source>
        <translation>ChatDesk continuará por sí solo mañana (UTC). Un propietario del espacio de trabajo puede subir el límite.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself in a minute.</source>
        <translation>ChatDesk continuará por sí solo en un minuto.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of members.</source>
        <translation>El espacio de trabajo ha alcanzado su límite de miembros.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit, or remove somebody.</source>
        <translation>Un propietario del espacio de trabajo puede subir el límite o quitar a alguien.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of open invitations.</source>
        <translation>El espacio de trabajo ha alcanzado su límite de invitaciones abiertas.</translation>
    </message>
    <message>
        <source>Withdraw some, or wait until they expire. An owner of the workspace can raise the limit.</source>
        <translation>Retira algunas o espera a que caduquen. Un propietario del espacio de trabajo puede subir el límite.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of shared projects for each member.</source>
        <translation>Has alcanzado el límite de proyectos compartidos por miembro del espacio de trabajo.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit.</source>
        <translation>Un propietario del espacio de trabajo puede subir el límite.</translation>
    </message>
    <message>
        <source>What the team&apos;s server sends does not fit what it sent before.</source>
        <translation>Lo que envía el servidor del equipo no encaja con lo que envió antes.</translation>
    </message>
    <message>
        <source>What was received before stays readable, and everything you wrote is kept on this computer.</source>
        <translation>Lo que se recibió antes se puede seguir leyendo, y todo lo que escribiste se conserva en este dispositivo.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be reached.</source>
        <translation>No se puede contactar con la base de datos del equipo.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself.</source>
        <translation>ChatDesk lo intenta de nuevo por sí solo.</translation>
    </message>
    <message>
        <source>The team&apos;s database is busy with another member&apos;s change.</source>
        <translation>La base de datos del equipo está ocupada con el cambio de otro miembro.</translation>
    </message>
    <message>
        <source>The team&apos;s database waits for an unfinished change of {by}.</source>
        <translation>La base de datos del equipo espera un cambio sin terminar de {by}.</translation>
    </message>
    <message>
        <source>{next_step} If it stays so, an owner of the workspace can end their connections.</source>
        <translation>{next_step} Si sigue así, un propietario del espacio de trabajo puede terminar sus conexiones.</translation>
    </message>
    <message>
        <source>A limit of the workspace is reached.</source>
        <translation>Se alcanzó un límite del espacio de trabajo.</translation>
    </message>
    <message>
        <source>An owner of the workspace can change it.</source>
        <translation>Un propietario del espacio de trabajo puede cambiarlo.</translation>
    </message>
    <message>
        <source>Another member of the workspace has this name.</source>
        <translation>Otro miembro del espacio de trabajo tiene este nombre.</translation>
    </message>
    <message>
        <source>Choose a name that tells you apart.</source>
        <translation>Elige un nombre que te distinga.</translation>
    </message>
    <message>
        <source>This address leads to another team&apos;s database than the one you joined.</source>
        <translation>Esta dirección lleva a la base de datos de otro equipo, no a la del equipo al que te uniste.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for the address, or join the other workspace on its own.</source>
        <translation>Pide la dirección al propietario del espacio de trabajo, o únete por separado al otro espacio de trabajo.</translation>
    </message>
    <message>
        <source>The password for the team&apos;s database cannot be found on this computer.</source>
        <translation>No se encuentra en este dispositivo la contraseña de la base de datos del equipo.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or enter the password in Settings, Team sync.</source>
        <translation>Desbloquea el llavero, o introduce la contraseña en Ajustes, Sincronización del equipo.</translation>
    </message>
    <message>
        <source>This address leads to a pooler that gives each transaction another connection.</source>
        <translation>Esta dirección lleva a un pooler que da a cada transacción otra conexión.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct port, or session pooling.</source>
        <translation>Usa el puerto directo del servidor o el pooling por sesión.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not answer in time.</source>
        <translation>La base de datos del equipo no respondió a tiempo.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database was not found under its name.</source>
        <translation>No se encontró por su nombre el servidor de la base de datos del equipo.</translation>
    </message>
    <message>
        <source>Check the name and your network. ChatDesk tries again by itself.</source>
        <translation>Comprueba el nombre y tu red. ChatDesk lo intenta de nuevo por sí solo.</translation>
    </message>
    <message>
        <source>The team&apos;s database takes no more connections at the moment.</source>
        <translation>La base de datos del equipo no acepta más conexiones por ahora.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>ChatDesk lo intenta de nuevo por sí solo. Si sigue así, el max_connections del servidor es demasiado pequeño.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be written to at the moment: its server is a standby, or was made read-only.</source>
        <translation>Ahora no se puede escribir en la base de datos del equipo: su servidor es una réplica o se puso en solo lectura.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, tell whoever runs the server.</source>
        <translation>ChatDesk lo intenta de nuevo por sí solo. Si sigue así, avisa a quien administra el servidor.</translation>
    </message>
    <message>
        <source>The disk of the team&apos;s server is full.</source>
        <translation>El disco del servidor del equipo está lleno.</translation>
    </message>
    <message>
        <source>Tell whoever runs the server. ChatDesk tries again by itself.</source>
        <translation>Avisa a quien administra el servidor. ChatDesk lo intenta de nuevo por sí solo.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take the password: it is wrong, or it has expired.</source>
        <translation>El servidor del equipo no aceptó la contraseña: es incorrecta o ha caducado.</translation>
    </message>
    <message>
        <source>Enter the password again, or ask the workspace&apos;s owner for a new invitation.</source>
        <translation>Introduce la contraseña de nuevo, o pide una invitación nueva al propietario del espacio de trabajo.</translation>
    </message>
    <message>
        <source>Your login to the team&apos;s database was closed: you are no longer a member of this workspace.</source>
        <translation>Se cerró tu acceso a la base de datos del equipo: ya no eres miembro de este espacio de trabajo.</translation>
    </message>
    <message>
        <source>If this is a mistake, ask the workspace&apos;s owner for a new invitation.</source>
        <translation>Si es un error, pide una invitación nueva al propietario del espacio de trabajo.</translation>
    </message>
    <message>
        <source>This login is not a member of the workspace.</source>
        <translation>Esta cuenta no es miembro del espacio de trabajo.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for an invitation.</source>
        <translation>Pide una invitación al propietario del espacio de trabajo.</translation>
    </message>
    <message>
        <source>The invitation was not accepted in time, or not at all.</source>
        <translation>La invitación no se aceptó o se aceptó demasiado tarde.</translation>
    </message>
    <message>
        <source>Accept it, or ask the workspace&apos;s owner for a new one.</source>
        <translation>Acéptala o pide una nueva al propietario del espacio de trabajo.</translation>
    </message>
    <message>
        <source>The invitation was used already, or withdrawn; each is good once.</source>
        <translation>La invitación ya se usó o se retiró; cada una sirve una sola vez.</translation>
    </message>
    <message>
        <source>If you joined on another computer, add this one there. If it was not you who used it, tell the workspace&apos;s owner, who can remove that member; then ask for a new one.</source>
        <translation>Si te uniste en otro dispositivo, añade este desde allí. Si no la usaste tú, díselo al propietario del espacio de trabajo, que puede quitar a ese miembro; después pide una nueva.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database does not speak TLS, so what you write would be sent unencrypted.</source>
        <translation>El servidor de la base de datos del equipo no admite TLS, así que lo que escribes se enviaría sin cifrar.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server to turn TLS on. Nothing was sent.</source>
        <translation>Pide a quien administra el servidor que active TLS. No se envió nada.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database refuses connections of this kind from this computer.</source>
        <translation>El servidor de la base de datos del equipo rechaza las conexiones de este tipo desde este dispositivo.</translation>
    </message>
    <message>
        <source>Turn TLS on for this address, or ask whoever runs the server to let this computer in.</source>
        <translation>Activa TLS para esta dirección, o pide a quien administra el servidor que acepte este dispositivo.</translation>
    </message>
    <message>
        <source>This computer does not trust the certificate of the team&apos;s server for that server&apos;s name.</source>
        <translation>Este dispositivo no confía en el certificado del servidor del equipo para el nombre de ese servidor.</translation>
    </message>
    <message>
        <source>Somebody may be intercepting the connection. Ask whoever runs the server for its certificate. Nothing was sent.</source>
        <translation>Quizá alguien esté interceptando la conexión. Pide su certificado a quien administra el servidor. No se envió nada.</translation>
    </message>
    <message>
        <source>The server asked for the password itself instead of a proof that you know it, so ChatDesk did not send it.</source>
        <translation>El servidor pidió la contraseña misma en vez de una prueba de que la conoces, así que ChatDesk no la envió.</translation>
    </message>
    <message>
        <source>It may not be the team&apos;s server. Ask whoever runs it; its passwords have to be scram-sha-256.</source>
        <translation>Quizá no sea el servidor del equipo. Pregunta a quien lo administra; sus contraseñas tienen que usar scram-sha-256.</translation>
    </message>
    <message>
        <source>There is no such database on the team&apos;s server.</source>
        <translation>Esa base de datos no existe en el servidor del equipo.</translation>
    </message>
    <message>
        <source>Check the name of the database.</source>
        <translation>Comprueba el nombre de la base de datos.</translation>
    </message>
    <message>
        <source>There is no workspace of ChatDesk in this database.</source>
        <translation>No hay ningún espacio de trabajo de ChatDesk en esta base de datos.</translation>
    </message>
    <message>
        <source>Check the address, or create a workspace there.</source>
        <translation>Comprueba la dirección o crea allí un espacio de trabajo.</translation>
    </message>
    <message>
        <source>The database is not empty, and a workspace needs one for itself.</source>
        <translation>La base de datos no está vacía, y un espacio de trabajo necesita una propia.</translation>
    </message>
    <message>
        <source>Create an empty database and give its address. Nothing was changed.</source>
        <translation>Crea una base de datos vacía e indica su dirección. No se cambió nada.</translation>
    </message>
    <message>
        <source>The server is older than PostgreSQL 15.</source>
        <translation>El servidor es anterior a PostgreSQL 15.</translation>
    </message>
    <message>
        <source>A workspace needs PostgreSQL 15 or newer. Nothing was changed.</source>
        <translation>Un espacio de trabajo necesita PostgreSQL 15 o posterior. No se cambió nada.</translation>
    </message>
    <message>
        <source>The workspace was upgraded by a newer ChatDesk than this one.</source>
        <translation>El espacio de trabajo lo actualizó una versión de ChatDesk más reciente que esta.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue; until then, what you change waits here.</source>
        <translation>Actualiza ChatDesk para seguir; hasta entonces, lo que cambies espera aquí.</translation>
    </message>
    <message>
        <source>The team&apos;s database is of an older ChatDesk than this one.</source>
        <translation>La base de datos del equipo es de una versión de ChatDesk más antigua que esta.</translation>
    </message>
    <message>
        <source>An owner upgrades it: &apos;chatdesk team upgrade&apos;, or upgrade.sql. Until then, what you change waits here.</source>
        <translation>La actualiza un propietario: «chatdesk team upgrade» o upgrade.sql. Hasta entonces, lo que cambies espera aquí.</translation>
    </message>
    <message>
        <source>This profile, or a copy of it, was put in the place of another one, so it no longer syncs.</source>
        <translation>Este perfil, o una copia suya, se puso en el lugar de otro, así que ya no se sincroniza.</translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;. What waits here is sent then.</source>
        <translation>Pulsa «Conectar de nuevo» en Ajustes, Sincronización del equipo, o ejecuta &apos;chatdesk team join&apos;. Lo que espera aquí se envía entonces.</translation>
    </message>
    <message>
        <source>Tell the people who run the server. Nothing was changed.</source>
        <translation>Avisa a quienes administran el servidor. No se ha cambiado nada.</translation>
    </message>
    <message>
        <source>The workspace does not, or no longer, know this computer.</source>
        <translation>El espacio de trabajo no conoce, o ya no conoce, este dispositivo.</translation>
    </message>
    <message>
        <source>This login may not do what setting up a workspace takes: own the database and create roles in it.</source>
        <translation>Esta cuenta no puede hacer lo que requiere crear un espacio de trabajo: ser dueña de la base de datos y crear roles en ella.</translation>
    </message>
    <message>
        <source>ChatDesk asks again by itself. Tell the people who run the server.</source>
        <translation>ChatDesk vuelve a preguntar por sí solo. Avisa a quienes administran el servidor.</translation>
    </message>
    <message>
        <source>Use a login that owns the database and has CREATEROLE. Nothing was changed.</source>
        <translation>Usa una cuenta dueña de la base de datos y con CREATEROLE. No se cambió nada.</translation>
    </message>
    <message>
        <source>The project was deleted for everybody by its owner.</source>
        <translation>Su propietario eliminó el proyecto para todos.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project.</source>
        <translation>Tu copia se queda aquí como proyecto privado.</translation>
    </message>
    <message>
        <source>You are no longer in this project.</source>
        <translation>Ya no estás en este proyecto.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project. To come back, ask one of its owners.</source>
        <translation>Tu copia se queda aquí como proyecto privado. Para volver, pídeselo a uno de sus propietarios.</translation>
    </message>
    <message>
        <source>ChatDesk registers it again by itself.</source>
        <translation>ChatDesk lo registra de nuevo por sí solo.</translation>
    </message>
    <message>
        <source>Your role does not permit this.</source>
        <translation>Tu rol no lo permite.</translation>
    </message>
    <message>
        <source>Ask an owner of the project or of the workspace. Nothing was changed.</source>
        <translation>Pregunta a un propietario del proyecto o del espacio de trabajo. No se cambió nada.</translation>
    </message>
    <message>
        <source>There must always be an owner.</source>
        <translation>Siempre tiene que haber un propietario.</translation>
    </message>
    <message>
        <source>Make somebody else owner first. Nothing was changed.</source>
        <translation>Haz propietario a otra persona primero. No se cambió nada.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not take a value.</source>
        <translation>La base de datos del equipo no aceptó un valor.</translation>
    </message>
    <message>
        <source>Check what you typed. Nothing was changed.</source>
        <translation>Comprueba lo que escribiste. No se cambió nada.</translation>
    </message>
    <message>
        <source>By now the server misses other changes of this project than those, or none.</source>
        <translation>Ahora al servidor le faltan otros cambios de este proyecto, o ya no le falta ninguno.</translation>
    </message>
    <message>
        <source>Check against the server again. Nothing was changed.</source>
        <translation>Comprueba de nuevo con el servidor. No se cambió nada.</translation>
    </message>
    <message>
        <source>Changes of this project were not only lost on the server, but rewritten as well.</source>
        <translation>En el servidor no solo se perdieron cambios de este proyecto: también se reescribieron.</translation>
    </message>
    <message>
        <source>This person has not accepted the invitation yet.</source>
        <translation>Esta persona todavía no ha aceptado la invitación.</translation>
    </message>
    <message>
        <source>Try it again when they have joined. Nothing was changed.</source>
        <translation>Inténtalo de nuevo cuando se haya unido. No se cambió nada.</translation>
    </message>
    <message>
        <source>This person is not, or no longer, a member of the workspace.</source>
        <translation>Esta persona no es, o ya no es, miembro del espacio de trabajo.</translation>
    </message>
    <message>
        <source>Invite them first. Nothing was changed.</source>
        <translation>Invítala primero. No se cambió nada.</translation>
    </message>
    <message>
        <source>That exists already and is another member&apos;s.</source>
        <translation>Eso ya existe y es de otro miembro.</translation>
    </message>
    <message>
        <source>The file is no longer on the computer that sent the message.</source>
        <translation>El archivo ya no está en el dispositivo que envió el mensaje.</translation>
    </message>
    <message>
        <source>The team&apos;s database does not have the file (yet).</source>
        <translation>La base de datos del equipo no tiene (aún) el archivo.</translation>
    </message>
    <message>
        <source>The team&apos;s database has a different file under this name.</source>
        <translation>La base de datos del equipo tiene otro archivo con ese nombre.</translation>
    </message>
    <message>
        <source>The file is larger than ChatDesk takes from a team.</source>
        <translation>El archivo es mayor de lo que ChatDesk acepta de un equipo.</translation>
    </message>
    <message>
        <source>A shared file could not be saved: {reason}.</source>
        <translation>No se pudo guardar un archivo compartido: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk; ChatDesk tries again by itself.</source>
        <translation>Libera espacio en el disco; ChatDesk lo intenta de nuevo por sí solo.</translation>
    </message>
    <message>
        <source>That is not an invitation to a workspace.</source>
        <translation>Eso no es una invitación a un espacio de trabajo.</translation>
    </message>
    <message>
        <source>Paste the whole code or link, or open the file that you were given.</source>
        <translation>Pega todo el código o enlace, o abre el archivo que te dieron.</translation>
    </message>
    <message>
        <source>The invitation is cut off: its end is missing.</source>
        <translation>La invitación está cortada: falta su final.</translation>
    </message>
    <message>
        <source>Copy all of it, or ask for it as a file.</source>
        <translation>Cópiala entera o pídela como archivo.</translation>
    </message>
    <message>
        <source>The invitation was changed on its way: it is not what was sent.</source>
        <translation>La invitación se alteró por el camino: no es la que se envió.</translation>
    </message>
    <message>
        <source>Copy it again from where you got it, or ask for it as a file.</source>
        <translation>Cópiala de nuevo de donde la tienes o pídela como archivo.</translation>
    </message>
    <message>
        <source>The invitation was made by a newer ChatDesk.</source>
        <translation>La invitación se creó con una versión más reciente de ChatDesk.</translation>
    </message>
    <message>
        <source>Install the newest ChatDesk, then open it again.</source>
        <translation>Instala la versión más reciente de ChatDesk y ábrela de nuevo.</translation>
    </message>
    <message>
        <source>The passphrase does not open this code.</source>
        <translation>La frase de contraseña no abre este código.</translation>
    </message>
    <message>
        <source>Type it as it is shown on the other computer, three groups of four characters.</source>
        <translation>Escríbela como se muestra en el otro dispositivo: tres grupos de cuatro caracteres.</translation>
    </message>
    <message>
        <source>This profile is not in that workspace.</source>
        <translation>Este perfil no está en ese espacio de trabajo.</translation>
    </message>
    <message>
        <source>Join it in Settings, Team sync.</source>
        <translation>Únete en Ajustes, Sincronización del equipo.</translation>
    </message>
    <message>
        <source>An invitation is good for 1 to {longest_days} days.</source>
        <translation>Una invitación es válida de 1 a {longest_days} días.</translation>
    </message>
    <message>
        <source>Choose fewer days.</source>
        <translation>Elige menos días.</translation>
    </message>
    <message>
        <source>You cannot remove yourself.</source>
        <translation>No puedes quitarte como miembro.</translation>
    </message>
    <message>
        <source>Leave the workspace instead.</source>
        <translation>En su lugar, sal del espacio de trabajo.</translation>
    </message>
    <message>
        <source>Share it first.</source>
        <translation>Compártelo primero.</translation>
    </message>
    <message>
        <source>The code has expired.</source>
        <translation>El código ha caducado.</translation>
    </message>
    <message>
        <source>Make a new one on your other computer.</source>
        <translation>Crea uno nuevo en tu otro dispositivo.</translation>
    </message>
    <message>
        <source>If you began to set up a workspace here, setting it up again finishes that.</source>
        <translation>Si empezaste a configurar aquí un espacio de trabajo, vuelve a configurarlo para terminar.</translation>
    </message>
    <message>
        <source>The password of this workspace is not known here.</source>
        <translation>La contraseña de este espacio de trabajo no se conoce aquí.</translation>
    </message>
    <message>
        <source>The password comes from an environment variable, so ChatDesk cannot change it.</source>
        <translation>La contraseña viene de una variable de entorno, así que ChatDesk no puede cambiarla.</translation>
    </message>
    <message>
        <source>Remove the variable, type the password once, and change it then.</source>
        <translation>Quita la variable, escribe la contraseña una vez y cámbiala después.</translation>
    </message>
    <message>
        <source>The invitation has expired.</source>
        <translation>La invitación ha caducado.</translation>
    </message>
    <message>
        <source>Ask whoever invited you for a new one.</source>
        <translation>Pide una nueva a quien te invitó.</translation>
    </message>
    <message>
        <source>This code no longer opens the team&apos;s database: the password was changed, or you were removed.</source>
        <translation>Este código ya no abre la base de datos del equipo: se cambió la contraseña o te quitaron.</translation>
    </message>
    <message>
        <source>Make a new code on a computer that still syncs, or ask the workspace&apos;s owner.</source>
        <translation>Crea un código nuevo en un dispositivo que aún se sincronice, o pregunta al propietario del espacio de trabajo.</translation>
    </message>
    <message>
        <source>This profile is in that workspace already.</source>
        <translation>Este perfil ya está en ese espacio de trabajo.</translation>
    </message>
    <message>
        <source>Settings, Team sync shows its state.</source>
        <translation>Ajustes, Sincronización del equipo, muestra su estado.</translation>
    </message>
    <message>
        <source>This server has no encryption: everybody on the way can read and change what is sent, passwords too.</source>
        <translation>Este servidor no tiene cifrado: cualquiera en el camino puede leer y cambiar lo que se envía, incluidas las contraseñas.</translation>
    </message>
    <message>
        <source>Ask for a server with TLS; agree only on this computer or in a network of your own.</source>
        <translation>Pide un servidor con TLS; acéptalo solo en este dispositivo o en una red propia.</translation>
    </message>
    <message>
        <source>This server is not in a network of your own, so ChatDesk speaks to it with encryption only.</source>
        <translation>Este servidor no está en una red propia, así que ChatDesk solo se comunica con él con cifrado.</translation>
    </message>
    <message>
        <source>Switch TLS on at the server; docs/team-administration.md says how.</source>
        <translation>Activa TLS en el servidor; docs/team-administration.md explica cómo.</translation>
    </message>
    <message>
        <source>A name has 1 to 80 characters on one line.</source>
        <translation>Un nombre tiene de 1 a 80 caracteres en una línea.</translation>
    </message>
    <message>
        <source>Type another one.</source>
        <translation>Escribe otro.</translation>
    </message>
    <message>
        <source>This code is for a further computer of yours and sealed with a passphrase.</source>
        <translation>Este código es para otro dispositivo tuyo y está protegido con una frase de contraseña.</translation>
    </message>
    <message>
        <source>Type the passphrase that is shown beside the code.</source>
        <translation>Escribe la frase de contraseña que se muestra junto al código.</translation>
    </message>
    <message>
        <source>A password for a team&apos;s database has {shortest} to {longest} letters, digits and signs of an English keyboard, without spaces.</source>
        <translation>Una contraseña para la base de datos de un equipo tiene de {shortest} a {longest} letras, dígitos y símbolos de un teclado inglés, sin espacios.</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>Elige otra.</translation>
    </message>
    <message>
        <source>This computer cannot keep the password for the team&apos;s database.</source>
        <translation>Este dispositivo no puede guardar la contraseña de la base de datos del equipo.</translation>
    </message>
    <message>
        <source>Nothing was changed on the server, and the invitation is still good.</source>
        <translation>No se cambió nada en el servidor, y la invitación sigue siendo válida.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers; or put a password of your own into the variable {variable} each time before ChatDesk starts.</source>
        <translation>Desbloquea o instala un llavero, o elige el archivo cifrado en Ajustes, Proveedores; o pon una contraseña tuya en la variable {variable} cada vez antes de iniciar ChatDesk.</translation>
    </message>
    <message>
        <source>The password was given for {kept}, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>La contraseña se indicó para {kept}, y el espacio de trabajo está ahora en {server}: no se envió allí. Si el servidor se ha trasladado de verdad, indícalo en Ajustes, Sincronización del equipo, Dirección, o introduce de nuevo la contraseña.</translation>
    </message>
    <message>
        <source>The password was kept by an earlier ChatDesk, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>La contraseña la guardó una versión anterior de ChatDesk, y el espacio de trabajo está ahora en {server}: no se envió allí. Si el servidor se ha trasladado de verdad, indícalo en Ajustes, Sincronización del equipo, Dirección, o introduce de nuevo la contraseña.</translation>
    </message>
    <message>
        <source>The variable {variable} has a password, and nobody said on this computer that it is for {server}: it was not sent there. If it is, set {server_variable} to {named}, or enter the password.</source>
        <translation>La variable {variable} tiene una contraseña, y nadie ha indicado en este dispositivo que sea para {server}: no se envió allí. Si lo es, asigna {named} a {server_variable}, o introduce la contraseña.</translation>
    </message>
    <message>
        <source>This project is shared with another workspace already.</source>
        <translation>Este proyecto ya está compartido con otro espacio de trabajo.</translation>
    </message>
    <message>
        <source>Stop sharing it there first.</source>
        <translation>Deja de compartirlo allí primero.</translation>
    </message>
    <message>
        <source>Ask one of its owners.</source>
        <translation>Pregunta a uno de sus propietarios.</translation>
    </message>
    <message>
        <source>Update ChatDesk.</source>
        <translation>Actualiza ChatDesk.</translation>
    </message>
    <message>
        <source>What others write comes up to half a minute late: the server&apos;s notifications do not arrive on this connection.</source>
        <translation>Lo que escriben otros puede llegar con hasta medio minuto de retraso: las notificaciones del servidor no llegan por esta conexión.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct address, or a pooler in session mode: Settings, Team sync, Address.</source>
        <translation>Usa la dirección directa del servidor o un pooler en modo de sesión: Ajustes, Sincronización del equipo, Dirección.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk to write to it; what you write waits on this computer.</source>
        <translation>Para escribir en la base de datos del equipo hace falta una versión más reciente de ChatDesk; lo que escribas espera en este dispositivo.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk.</source>
        <translation>La base de datos del equipo requiere una versión más reciente de ChatDesk.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} ahead of the team&apos;s. Nothing is lost by that.</source>
        <translation>El reloj de este dispositivo va {span} adelantado respecto al del equipo. No se pierde nada por ello.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} behind the team&apos;s. Nothing is lost by that.</source>
        <translation>El reloj de este dispositivo va {span} atrasado respecto al del equipo. No se pierde nada por ello.</translation>
    </message>
    <message>
        <source>a moment</source>
        <translation>un momento</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take everything in time.</source>
        <translation>El servidor del equipo no lo aceptó todo a tiempo.</translation>
    </message>
    <message>
        <source>Check the user and the password.</source>
        <translation>Comprueba el usuario y la contraseña.</translation>
    </message>
    <message>
        <source>Check the host, and your network.</source>
        <translation>Comprueba el host y tu red.</translation>
    </message>
    <message>
        <source>Choose the certificate that whoever runs the server gives you. Nothing was sent.</source>
        <translation>Elige el certificado que te da quien administra el servidor. No se envió nada.</translation>
    </message>
    <message>
        <source>Check again later. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>Comprueba de nuevo más tarde. Si sigue así, el max_connections del servidor es demasiado pequeño.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server for room, then check again.</source>
        <translation>Pide espacio a quien administra el servidor y comprueba de nuevo.</translation>
    </message>
    <message>
        <source>Check host, port and network, and that the server runs; then check again.</source>
        <translation>Comprueba el host, el puerto y la red, y que el servidor funcione; después, repite la comprobación.</translation>
    </message>
    <message>
        <source>The server answers and takes the login.</source>
        <translation>El servidor responde y acepta la cuenta.</translation>
    </message>
    <message>
        <source>create roles (CREATEROLE)</source>
        <translation>crear roles (CREATEROLE)</translation>
    </message>
    <message>
        <source>change the database, which belongs to another login</source>
        <translation>cambiar la base de datos, que pertenece a otra cuenta</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Versión</translation>
    </message>
    <message>
        <source>PostgreSQL {version} is too old. Use a server with 15 or newer.</source>
        <translation>PostgreSQL {version} es demasiado antiguo. Usa un servidor con 15 o posterior.</translation>
    </message>
    <message>
        <source>PostgreSQL {version}.</source>
        <translation>PostgreSQL {version}.</translation>
    </message>
    <message>
        <source>The connection is encrypted (TLS).</source>
        <translation>La conexión está cifrada (TLS).</translation>
    </message>
    <message>
        <source>Not encrypted: anybody on the way can read everything.</source>
        <translation>Sin cifrar: quien esté en medio puede leerlo todo.</translation>
    </message>
    <message>
        <source>Empty database</source>
        <translation>Base de datos vacía</translation>
    </message>
    <message>
        <source>There is a workspace in this database already. Make a new database, or ask its owner for an invitation.</source>
        <translation>Ya hay un espacio de trabajo en esta base de datos. Crea una base de datos nueva o pide una invitación a su propietario.</translation>
    </message>
    <message numerus="yes">
        <source>It is not empty: there are {count} tables and views in it. A workspace needs a database for itself; make a new one.</source>
        <comment>It is not empty: there is {count} table or view in it. A workspace needs a database for itself; make a new one.</comment>
        <translation>
            <numerusform>No está vacía: hay {count} tabla o vista en ella. Un espacio de trabajo necesita una base de datos propia; crea una nueva.</numerusform>
            <numerusform>No está vacía: hay {count} tablas y vistas en ella. Un espacio de trabajo necesita una base de datos propia; crea una nueva.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database is empty.</source>
        <translation>La base de datos está vacía.</translation>
    </message>
    <message>
        <source>Rights</source>
        <translation>Permisos</translation>
    </message>
    <message>
        <source>The login may not {lacks}. Use the one that owns the database, with CREATEROLE.</source>
        <translation>La cuenta no puede: {lacks}. Usa la cuenta dueña de la base de datos, con CREATEROLE.</translation>
    </message>
    <message>
        <source>{one} or {other}</source>
        <translation>{one} o {other}</translation>
    </message>
    <message>
        <source>The login owns the database and may create roles.</source>
        <translation>La cuenta es dueña de la base de datos y puede crear roles.</translation>
    </message>
    <message>
        <source>Changes</source>
        <translation>Cambios</translation>
    </message>
    <message>
        <source>The server takes no changes: it is a standby, or read-only. Use its primary.</source>
        <translation>El servidor no acepta cambios: es una réplica, o de solo lectura. Usa su servidor primario.</translation>
    </message>
    <message>
        <source>The database keeps text as {encoding}. Make one with UTF8.</source>
        <translation>La base de datos guarda el texto como {encoding}. Crea una con UTF8.</translation>
    </message>
    <message>
        <source>The database takes changes, and text in every language.</source>
        <translation>La base de datos acepta cambios y texto en cualquier idioma.</translation>
    </message>
    <message>
        <source>Direct connection</source>
        <translation>Conexión directa</translation>
    </message>
    <message>
        <source>Notifications do not arrive: this seems to be a pooler. Use the server&apos;s direct port, or session pooling.</source>
        <translation>Las notificaciones no llegan: parece un pooler. Usa el puerto directo del servidor o el pooling por sesión.</translation>
    </message>
    <message>
        <source>Notifications arrive.</source>
        <translation>Las notificaciones llegan.</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>Conexiones</translation>
    </message>
    <message>
        <source>The server takes {most} connections; a computer needs up to three while ChatDesk runs.</source>
        <translation>El servidor admite {most} conexiones; un dispositivo necesita hasta tres mientras ChatDesk está abierto.</translation>
    </message>
    <message>
        <source>The server takes {most} connections, up to three for each computer.</source>
        <translation>El servidor admite {most} conexiones, hasta tres por dispositivo.</translation>
    </message>
    <message>
        <source>[y/N]</source>
        <translation>[s/N]</translation>
    </message>
    <message>
        <source>y yes</source>
        <translation>s sí si</translation>
    </message>
    <message>
        <source>Nobody can be asked here.</source>
        <translation>Aquí no se puede preguntar a nadie.</translation>
    </message>
    <message>
        <source>Add --yes.</source>
        <translation>Añade --yes.</translation>
    </message>
    <message>
        <source>The output could not be written: {strerror}.</source>
        <translation>No se pudo escribir la salida: {strerror}.</translation>
    </message>
    <message>
        <source>{megabytes} MB</source>
        <translation>{megabytes} MB</translation>
    </message>
    <message numerus="yes">
        <source>{count} bytes</source>
        <comment>{count} byte</comment>
        <translation>
            <numerusform>{count} byte</numerusform>
            <numerusform>{count} bytes</numerusform>
        </translation>
    </message>
    <message>
        <source>{about} of {server} failed: {reason}</source>
        <translation>{about} de {server} falló: {reason}</translation>
    </message>
    <message>
        <source>“{tool}” of {server} was changed by its server after it was offered, so it was not run.</source>
        <translation>El servidor {server} cambió «{tool}» después de ofrecerla, así que no se ejecutó.</translation>
    </message>
    <message>
        <source>Ask again: you are shown it as it is now.</source>
        <translation>Pregunta de nuevo: se te mostrará tal como es ahora.</translation>
    </message>
    <message>
        <source>Signing in to {server} failed: {reason}</source>
        <translation>No se pudo iniciar sesión en {server}: {reason}</translation>
    </message>
    <message>
        <source>It was ended.</source>
        <translation>Se detuvo.</translation>
    </message>
    <message>
        <source>{server} cannot be used: {reason}</source>
        <translation>No se puede usar {server}: {reason}</translation>
    </message>
    <message>
        <source>The process for tools could not be started.</source>
        <translation>No se pudo iniciar el proceso de las herramientas.</translation>
    </message>
    <message>
        <source>The process for tools ended.</source>
        <translation>El proceso de las herramientas terminó.</translation>
    </message>
    <message>
        <source>The list of prompts</source>
        <translation>La lista de prompts</translation>
    </message>
    <message>
        <source>The list of resources</source>
        <translation>La lista de recursos</translation>
    </message>
    <message>
        <source>{about} of {name} is empty.</source>
        <translation>{about} de {name} no tiene contenido.</translation>
    </message>
    <message>
        <source>No tool server was found in this text.</source>
        <translation>No se encontró ningún servidor de herramientas en este texto.</translation>
    </message>
    <message>
        <source>Paste the whole block, from { to }.</source>
        <translation>Pega todo el bloque, de { a }.</translation>
    </message>
    <message>
        <source>It is described with the older transport (SSE), which ChatDesk does not speak. Ask for its address for streamable HTTP, which often ends with /mcp.</source>
        <translation>Se describe con el transporte antiguo (SSE), que ChatDesk no admite. Pide su dirección para streamable HTTP, que suele terminar en /mcp.</translation>
    </message>
    <message>
        <source>This text is too long for a description of tool servers.</source>
        <translation>Este texto es demasiado largo para ser una descripción de servidores de herramientas.</translation>
    </message>
    <message>
        <source>This text is not valid JSON.</source>
        <translation>Este texto no es JSON válido.</translation>
    </message>
    <message>
        <source>The permissions of tools could not be saved.</source>
        <translation>No se pudieron guardar los permisos de las herramientas.</translation>
    </message>
    <message>
        <source>permissions of tools</source>
        <translation>permisos de herramientas</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install npm).</source>
        <translation>Instala Node.js: https://nodejs.org (en Debian y Ubuntu: sudo apt install npm).</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install nodejs).</source>
        <translation>Instala Node.js: https://nodejs.org (en Debian y Ubuntu: sudo apt install nodejs).</translation>
    </message>
    <message>
        <source>Install Bun: https://bun.sh.</source>
        <translation>Instala Bun: https://bun.sh.</translation>
    </message>
    <message>
        <source>Install Deno: https://deno.com.</source>
        <translation>Instala Deno: https://deno.com.</translation>
    </message>
    <message>
        <source>Install uv: pipx install uv (or see https://docs.astral.sh/uv).</source>
        <translation>Instala uv: pipx install uv (o consulta https://docs.astral.sh/uv).</translation>
    </message>
    <message>
        <source>Install pipx (on Debian and Ubuntu: sudo apt install pipx).</source>
        <translation>Instala pipx (en Debian y Ubuntu: sudo apt install pipx).</translation>
    </message>
    <message>
        <source>Install Docker: https://docs.docker.com/get-docker.</source>
        <translation>Instala Docker: https://docs.docker.com/get-docker.</translation>
    </message>
    <message>
        <source>Install it, or give its whole path.</source>
        <translation>Instálalo o indica su ruta completa.</translation>
    </message>
    <message>
        <source>The program “{name}” was not found.</source>
        <translation>No se encontró el programa «{name}».</translation>
    </message>
    <message>
        <source>There is no such folder.</source>
        <translation>No existe esa carpeta.</translation>
    </message>
    <message>
        <source>Choose a folder that exists on this computer.</source>
        <translation>Elige una carpeta que exista en este dispositivo.</translation>
    </message>
    <message>
        <source>There is no folder {path}.</source>
        <translation>No existe la carpeta {path}.</translation>
    </message>
    <message>
        <source>ChatDesk keeps its own files in {each}, which models must not read.</source>
        <translation>ChatDesk guarda archivos propios en {each}, que los modelos no deben leer.</translation>
    </message>
    <message>
        <source>Choose the folder of the project itself.</source>
        <translation>Elige la carpeta del propio proyecto.</translation>
    </message>
    <message>
        <source>“{label}” is missing.</source>
        <translation>Falta «{label}».</translation>
    </message>
    <message>
        <source>“{label}” is not a whole number.</source>
        <translation>«{label}» no es un número entero.</translation>
    </message>
    <message>
        <source>“{label}” is not a number.</source>
        <translation>«{label}» no es un número.</translation>
    </message>
    <message>
        <source>“{label}” is at least {least}{unit}.</source>
        <translation>«{label}» debe ser como mínimo {least}{unit}.</translation>
    </message>
    <message>
        <source>“{label}” is at most {most}{unit}.</source>
        <translation>«{label}» debe ser como máximo {most}{unit}.</translation>
    </message>
    <message>
        <source>an email address</source>
        <translation>una dirección de correo electrónico</translation>
    </message>
    <message>
        <source>an address such as https://example.org</source>
        <translation>una dirección como https://example.org</translation>
    </message>
    <message>
        <source>a date such as 2026-11-24</source>
        <translation>una fecha como 2026-11-24</translation>
    </message>
    <message>
        <source>a date and time such as 2026-11-24T09:30:00Z</source>
        <translation>una fecha y hora como 2026-11-24T09:30:00Z</translation>
    </message>
    <message>
        <source>“{label}” is not {words}.</source>
        <translation>«{label}» no es {words}.</translation>
    </message>
    <message>
        <source>This tool server cannot be used as it is.</source>
        <translation>Este servidor de herramientas no se puede usar tal como está.</translation>
    </message>
    <message>
        <source>Correct this and save again.</source>
        <translation>Corrígelo y guarda de nuevo.</translation>
    </message>
    <message>
        <source>The tool server has no name.</source>
        <translation>El servidor de herramientas no tiene nombre.</translation>
    </message>
    <message>
        <source>The tool server has no command.</source>
        <translation>El servidor de herramientas no tiene comando.</translation>
    </message>
    <message>
        <source>The command has a character that no command can have.</source>
        <translation>El comando tiene un carácter que no puede haber en un comando.</translation>
    </message>
    <message>
        <source>The address of a tool server begins with https:// or http://.</source>
        <translation>La dirección de un servidor de herramientas empieza por https:// o http://.</translation>
    </message>
    <message>
        <source>Secrets are sent over https only: anybody on the way could read them.</source>
        <translation>Los secretos solo se envían por https: cualquiera en el camino podría leerlos.</translation>
    </message>
    <message>
        <source>The tool servers could not be saved.</source>
        <translation>No se pudieron guardar los servidores de herramientas.</translation>
    </message>
    <message>
        <source>tool servers</source>
        <translation>servidores de herramientas</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers were left out: the entry in {file} cannot be used.</source>
        <comment>{count} tool server was left out: the entry in {file} cannot be used.</comment>
        <translation>
            <numerusform>Se omitió {count} servidor de herramientas: la entrada en {file} no se puede usar.</numerusform>
            <numerusform>Se omitieron {count} servidores de herramientas: la entrada en {file} no se puede usar.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers in this data directory may be from somebody else and stay off until you switch them on.</source>
        <comment>{count} tool server in this data directory may be from somebody else and stays off until you switch it on.</comment>
        <translation>
            <numerusform>{count} servidor de herramientas de esta carpeta de datos quizá sea de otra persona y sigue desactivado hasta que lo actives.</numerusform>
            <numerusform>{count} servidores de herramientas de esta carpeta de datos quizá sean de otra persona y siguen desactivados hasta que los actives.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} other choices for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and do not hold until you choose again.</source>
        <comment>{count} other choice for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and does not hold until you choose again.</comment>
        <translation>
            <numerusform>{count} otra elección de herramientas en esta carpeta de datos (una carpeta, un servidor propio de ChatDesk, el buscador) puede ser de otra persona y no vale hasta que elijas de nuevo.</numerusform>
            <numerusform>{count} otras elecciones de herramientas en esta carpeta de datos (una carpeta, un servidor propio de ChatDesk, el buscador) pueden ser de otra persona y no valen hasta que elijas de nuevo.</numerusform>
        </translation>
    </message>
    <message>
        <source>The file of tool servers was written by a newer ChatDesk.</source>
        <translation>El archivo de servidores de herramientas es de una versión más reciente de ChatDesk.</translation>
    </message>
    <message>
        <source>What you set up for tools cannot be marked as yours, so the next start would not trust it.</source>
        <translation>Lo que configuraste para las herramientas no se puede marcar como tuyo, así que no se consideraría de confianza en el próximo inicio.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or check your configuration directory, and try again.</source>
        <translation>Desbloquea el llavero o comprueba tu carpeta de configuración, e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>The file of tool servers {path} could not be written.</source>
        <translation>No se pudo escribir el archivo de servidores de herramientas {path}.</translation>
    </message>
    <message>
        <source>There are {most_servers} tool servers already.</source>
        <translation>Ya hay {most_servers} servidores de herramientas.</translation>
    </message>
    <message>
        <source>{name} comes with ChatDesk.</source>
        <translation>{name} viene con ChatDesk.</translation>
    </message>
    <message>
        <source>Switch it off instead.</source>
        <translation>Desactívalo.</translation>
    </message>
    <message>
        <source>The tool took too long.</source>
        <translation>La herramienta tardó demasiado.</translation>
    </message>
    <message>
        <source>The folder {folder} does not exist.</source>
        <translation>La carpeta {folder} no existe.</translation>
    </message>
    <message>
        <source>The value of {name} is missing.</source>
        <translation>Falta el valor de {name}.</translation>
    </message>
    <message>
        <source>Enter it in Settings, Tools.</source>
        <translation>Introdúcelo en Ajustes, Herramientas.</translation>
    </message>
    <message>
        <source>This server cannot be signed in to.</source>
        <translation>No se puede iniciar sesión en este servidor.</translation>
    </message>
    <message>
        <source>Sign in to servers over https.</source>
        <translation>Inicia sesión en servidores por https.</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>Inténtalo más tarde.</translation>
    </message>
    <message>
        <source>Check the address in Settings, Tools, or try again later.</source>
        <translation>Comprueba la dirección en Ajustes, Herramientas, o inténtalo más tarde.</translation>
    </message>
    <message>
        <source>The key of {label} is missing.</source>
        <translation>Falta la clave de {label}.</translation>
    </message>
    <message>
        <source>{server} answered, but not as {label} does.</source>
        <translation>{server} respondió, pero no como lo hace {label}.</translation>
    </message>
    <message>
        <source>SearXNG does not answer programs.</source>
        <translation>SearXNG no responde a programas.</translation>
    </message>
    <message>
        <source>Add json to search.formats in its settings.yml, or choose another.</source>
        <translation>Añade json a search.formats en su settings.yml o elige otro.</translation>
    </message>
    <message>
        <source>{label} does not take this key.</source>
        <translation>{label} no acepta esta clave.</translation>
    </message>
    <message>
        <source>{label} takes no more searches for now.</source>
        <translation>{label} no acepta más búsquedas por ahora.</translation>
    </message>
    <message>
        <source>Wait, or look at your plan there.</source>
        <translation>Espera, o consulta allí tu plan.</translation>
    </message>
    <message>
        <source>{label} answered with {status}.</source>
        <translation>{label} respondió con {status}.</translation>
    </message>
    <message>
        <source>The web could not be searched.</source>
        <translation>No se pudo buscar en la web.</translation>
    </message>
    <message>
        <source>Not encrypted: others on the network could read what is searched for.</source>
        <translation>Sin cifrar: otros en la red podrían leer lo que se busca.</translation>
    </message>
    <message>
        <source>The web cannot be searched like this.</source>
        <translation>Así no se puede buscar en la web.</translation>
    </message>
    <message>
        <source>{label} wants a key.</source>
        <translation>{label} pide una clave.</translation>
    </message>
    <message>
        <source>Choose one in Settings, Tools.</source>
        <translation>Elige uno en Ajustes, Herramientas.</translation>
    </message>
    <message>
        <source>There is nothing to search for.</source>
        <translation>No hay nada que buscar.</translation>
    </message>
    <message>
        <source>It found no page about {tried_with}.</source>
        <translation>No encontró ninguna página sobre {tried_with}.</translation>
    </message>
    <message>
        <source>The address of SearXNG is one like https://searx.example.org.</source>
        <translation>La dirección de SearXNG tiene la forma https://searx.example.org.</translation>
    </message>
    <message>
        <source>The export ended unexpectedly.</source>
        <translation>La exportación terminó de forma inesperada.</translation>
    </message>
    <message>
        <source>Try again, or another format.</source>
        <translation>Inténtalo de nuevo o con otro formato.</translation>
    </message>
    <message>
        <source>The pages were not finished in time.</source>
        <translation>Las páginas no se terminaron a tiempo.</translation>
    </message>
    <message>
        <source>Export as HTML and print that.</source>
        <translation>Exporta como HTML e imprime ese archivo.</translation>
    </message>
    <message>
        <source>The PDF could not be made: {reason}.</source>
        <translation>No se pudo crear el PDF: {reason}.</translation>
    </message>
    <message>
        <source>This file contains more chats than can be read at once.</source>
        <translation>Este archivo contiene más chats de los que se pueden leer a la vez.</translation>
    </message>
    <message>
        <source>The CSV file is cut off or damaged.</source>
        <translation>El archivo CSV está cortado o dañado.</translation>
    </message>
    <message>
        <source>Export the chats again, then import that file.</source>
        <translation>Exporta los chats de nuevo e importa ese archivo.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk to open the zip files in this one.</source>
        <translation>No hay espacio suficiente en el disco para abrir los archivos zip que contiene este.</translation>
    </message>
    <message>
        <source>Make room, or unpack it and import the zip file of the conversations alone.</source>
        <translation>Libera espacio, o descomprímelo e importa solo el archivo zip de las conversaciones.</translation>
    </message>
    <message>
        <source>The zip file is damaged or not complete.</source>
        <translation>El archivo zip está dañado o incompleto.</translation>
    </message>
    <message>
        <source>Download the export again, then import it.</source>
        <translation>Descarga la exportación de nuevo e impórtala.</translation>
    </message>
    <message>
        <source>The zip file claims more files than an export has.</source>
        <translation>El archivo zip dice contener más archivos de los que tiene una exportación.</translation>
    </message>
    <message>
        <source>The zip file is protected by a password.</source>
        <translation>El archivo zip está protegido con contraseña.</translation>
    </message>
    <message>
        <source>Unpack it, then import the JSON file in it.</source>
        <translation>Descomprímelo e importa el archivo JSON que contiene.</translation>
    </message>
    <message>
        <source>The zip file is packed in a way that exports are not.</source>
        <translation>El archivo zip está comprimido de forma distinta a las exportaciones.</translation>
    </message>
    <message>
        <source>The zip file unpacks to far more than an export holds, so it was not opened.</source>
        <translation>El archivo zip se descomprime a mucho más de lo que contiene una exportación, así que no se abrió.</translation>
    </message>
    <message>
        <source>This file was written by a newer ChatDesk (format version {version}).</source>
        <translation>Este archivo es de una versión más reciente de ChatDesk (versión de formato {version}).</translation>
    </message>
    <message>
        <source>Update ChatDesk, then import it.</source>
        <translation>Actualiza ChatDesk e impórtalo.</translation>
    </message>
    <message>
        <source>This backup contains more text than can be read at once.</source>
        <translation>Esta copia contiene más texto del que se puede leer a la vez.</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>La respuesta falló.</translation>
    </message>
    <message>
        <source>Entry {number}</source>
        <translation>Entrada {number}</translation>
    </message>
    <message>
        <source>It contains no messages.</source>
        <translation>No contiene mensajes.</translation>
    </message>
    <message>
        <source>Entry {number} of {name}</source>
        <translation>Entrada {number} de {name}</translation>
    </message>
    <message>
        <source>“{key}” of {name}</source>
        <translation>«{key}» de {name}</translation>
    </message>
    <message>
        <source>Nothing after it could be read.</source>
        <translation>Nada de lo que sigue se pudo leer.</translation>
    </message>
    <message>
        <source>The file is damaged or not complete.</source>
        <translation>El archivo está dañado o incompleto.</translation>
    </message>
    <message>
        <source>The rest of the file could not be read.</source>
        <translation>El resto del archivo no se pudo leer.</translation>
    </message>
    <message>
        <source>This file is one conversation that is larger than any export holds.</source>
        <translation>Este archivo es una conversación mayor de lo que contiene cualquier exportación.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were here already.</source>
        <comment>{count} thread was here already.</comment>
        <translation>
            <numerusform>{count} conversación ya estaba aquí.</numerusform>
            <numerusform>{count} conversaciones ya estaban aquí.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were in the trash and left there.</source>
        <comment>{count} thread was in the trash and left there.</comment>
        <translation>
            <numerusform>{count} conversación estaba en la papelera y se dejó allí.</numerusform>
            <numerusform>{count} conversaciones estaban en la papelera y se dejaron allí.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were deleted for good before and left out.</source>
        <comment>{count} thread was deleted for good before and left out.</comment>
        <translation>
            <numerusform>{count} conversación se había eliminado definitivamente y se omitió.</numerusform>
            <numerusform>{count} conversaciones se habían eliminado definitivamente y se omitieron.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} entries were skipped.</source>
        <comment>{count} entry was skipped.</comment>
        <translation>
            <numerusform>Se saltó {count} entrada.</numerusform>
            <numerusform>Se saltaron {count} entradas.</numerusform>
        </translation>
    </message>
    <message>
        <source>There was nothing to import.</source>
        <translation>No había nada que importar.</translation>
    </message>
    <message>
        <source>The import was stopped. Import the same file again to continue.</source>
        <translation>La importación se detuvo. Importa el mismo archivo de nuevo para continuar.</translation>
    </message>
    <message numerus="yes">
        <source>{count} new threads</source>
        <comment>{count} new thread</comment>
        <translation>
            <numerusform>{count} conversación nueva</numerusform>
            <numerusform>{count} conversaciones nuevas</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} with {messages}.</source>
        <translation>Importaría {threads} con {messages}.</translation>
    </message>
    <message>
        <source>Imported {threads} with {messages}.</source>
        <translation>Importado: {threads} con {messages}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads with new messages</source>
        <comment>{count} thread with new messages</comment>
        <translation>
            <numerusform>{count} conversación con mensajes nuevos</numerusform>
            <numerusform>{count} conversaciones con mensajes nuevos</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} and {grown}, {messages} in all.</source>
        <translation>Importaría {threads} y {grown}; {messages} en total.</translation>
    </message>
    <message>
        <source>Imported {threads} and {grown}, {messages} in all.</source>
        <translation>Importado: {threads} y {grown}; {messages} en total.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files that messages name are not in the export.</source>
        <comment>{count} file that messages name is not in the export.</comment>
        <translation>
            <numerusform>{count} archivo mencionado en los mensajes no está en la exportación.</numerusform>
            <numerusform>{count} archivos mencionados en los mensajes no están en la exportación.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages that the vendor hides were left out.</source>
        <comment>{count} message that the vendor hides was left out.</comment>
        <translation>
            <numerusform>Se omitió {count} mensaje que el fabricante oculta.</numerusform>
            <numerusform>Se omitieron {count} mensajes que el fabricante oculta.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} marks of sources that the export does not name were left out.</source>
        <comment>{count} mark of a source that the export does not name was left out.</comment>
        <translation>
            <numerusform>Se omitió {count} marca de una fuente que la exportación no indica.</numerusform>
            <numerusform>Se omitieron {count} marcas de fuentes que la exportación no indica.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The export contains {count} memories.</source>
        <comment>The export contains {count} memory.</comment>
        <translation>
            <numerusform>La exportación contiene {count} recuerdo.</numerusform>
            <numerusform>La exportación contiene {count} recuerdos.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} more are beyond the most that ChatDesk keeps.</source>
        <comment>{count} more is beyond the most that ChatDesk keeps.</comment>
        <translation>
            <numerusform>{count} más supera el máximo que conserva ChatDesk.</numerusform>
            <numerusform>{count} más superan el máximo que conserva ChatDesk.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} of them are remembered now.</source>
        <comment>{count} of them is remembered now.</comment>
        <translation>
            <numerusform>{count} de ellos ya se recuerda.</numerusform>
            <numerusform>{count} de ellos ya se recuerdan.</numerusform>
        </translation>
    </message>
    <message>
        <source>None was taken: memories are kept only where you choose them.</source>
        <translation>No se tomó ninguno: los recuerdos solo se conservan si los eliges.</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({reason})</source>
        <translation>{outcome}: {title} ({reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title}</source>
        <translation>{outcome}: {title}</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages}; {reason})</source>
        <translation>{outcome}: {title} ({messages}; {reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages})</source>
        <translation>{outcome}: {title} ({messages})</translation>
    </message>
    <message>
        <source>It is in the trash. Restore it and import again to have what is new.</source>
        <translation>Está en la papelera. Restáurala e importa de nuevo para tener lo nuevo.</translation>
    </message>
    <message>
        <source>It was deleted for good.</source>
        <translation>Se eliminó definitivamente.</translation>
    </message>
    <message>
        <source>An import is running already.</source>
        <translation>Ya hay una importación en curso.</translation>
    </message>
    <message>
        <source>Some characters could not be read and are shown as �.</source>
        <translation>Algunos caracteres no se pudieron leer y se muestran como �.</translation>
    </message>
    <message>
        <source>The virus scanner found something in this file, so it was kept out.</source>
        <translation>El antivirus encontró algo en este archivo, así que no se admitió.</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts were imported, too.</source>
        <comment>{count} prompt was imported, too.</comment>
        <translation>
            <numerusform>También se importó {count} prompt.</numerusform>
            <numerusform>También se importaron {count} prompts.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts were imported, too.</source>
        <comment>{count} draft was imported, too.</comment>
        <translation>
            <numerusform>También se importó {count} borrador.</numerusform>
            <numerusform>También se importaron {count} borradores.</numerusform>
        </translation>
    </message>
    <message>
        <source>What was imported so far is complete. Import the same file again to continue.</source>
        <translation>Lo importado hasta ahora está completo. Importa el mismo archivo de nuevo para continuar.</translation>
    </message>
    <message>
        <source>{name} is not a file.</source>
        <translation>{name} no es un archivo.</translation>
    </message>
    <message>
        <source>Choose the export itself.</source>
        <translation>Elige la propia exportación.</translation>
    </message>
    <message>
        <source>This backup contains Cherry Studio&apos;s database as it is, which ChatDesk cannot read.</source>
        <translation>Esta copia contiene la base de datos de Cherry Studio tal cual, que ChatDesk no puede leer.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings, Export to Phone, and export to a file.</source>
        <translation>En Cherry Studio abre Settings, Data Settings, Export to Phone, y exporta a un archivo.</translation>
    </message>
    <message>
        <source>This is a page to be read, not the data of an export.</source>
        <translation>Es una página para leer, no los datos de una exportación.</translation>
    </message>
    <message>
        <source>Choose the zip file of the export as it came. If it contains only pages, ask for it again with JSON as its format: Google Takeout has a choice for that.</source>
        <translation>Elige el archivo zip de la exportación tal como llegó. Si solo contiene páginas, pídela de nuevo en formato JSON: Google Takeout permite elegirlo.</translation>
    </message>
    <message>
        <source>Choose an export of one of these programs: {programs}.</source>
        <translation>Elige una exportación de uno de estos programas: {programs}.</translation>
    </message>
    <message>
        <source>There is nothing in this folder that ChatDesk can import.</source>
        <translation>No hay nada en esta carpeta que ChatDesk pueda importar.</translation>
    </message>
    <message>
        <source>There is nothing in this file that ChatDesk can import.</source>
        <translation>No hay nada en este archivo que ChatDesk pueda importar.</translation>
    </message>
    <message>
        <source>This file is not an export that ChatDesk knows.</source>
        <translation>Este archivo no es una exportación que ChatDesk conozca.</translation>
    </message>
    <message>
        <source>{name} is cut off: its end is missing.</source>
        <translation>{name} está cortado: falta su final.</translation>
    </message>
    <message>
        <source>{name} could not be read: {reason}.</source>
        <translation>No se pudo leer {name}: {reason}.</translation>
    </message>
    <message>
        <source>Check the file.</source>
        <translation>Comprueba el archivo.</translation>
    </message>
    <message>
        <source>This folder contains far more files than a program&apos;s chats would have.</source>
        <translation>Esta carpeta contiene muchos más archivos que los chats de un programa.</translation>
    </message>
    <message>
        <source>Choose the folder of the chats.</source>
        <translation>Elige la carpeta de los chats.</translation>
    </message>
    <message>
        <source>The page of releases does not say which version is the newest.</source>
        <translation>La página de versiones no dice cuál es la más reciente.</translation>
    </message>
    <message>
        <source>Installed from a package: the updates of this computer bring new versions, such as “apt upgrade”.</source>
        <translation>Instalado desde un paquete: las actualizaciones del sistema, como «apt upgrade», traen versiones nuevas.</translation>
    </message>
    <message>
        <source>Installed as a Flatpak: the updates of this computer bring new versions, or “flatpak update”.</source>
        <translation>Instalado como Flatpak: las actualizaciones del sistema o «flatpak update» traen versiones nuevas.</translation>
    </message>
    <message>
        <source>Installed as a snap: the system brings new versions by itself.</source>
        <translation>Instalado como snap: el sistema trae versiones nuevas por sí solo.</translation>
    </message>
    <message>
        <source>Installed with pipx: “pipx upgrade chatdesk” brings a new version.</source>
        <translation>Instalado con pipx: «pipx upgrade chatdesk» trae una versión nueva.</translation>
    </message>
    <message>
        <source>Installed with pip: “pip install --upgrade chatdesk” brings a new version.</source>
        <translation>Instalado con pip: «pip install --upgrade chatdesk» trae una versión nueva.</translation>
    </message>
    <message>
        <source>A checkout: “git pull” brings a new version.</source>
        <translation>Un checkout de git: «git pull» trae una versión nueva.</translation>
    </message>
    <message>
        <source>The portable program: start a newer .run file once to put a new version in its place.</source>
        <translation>El programa portátil: inicia una vez un archivo .run más nuevo para poner una versión nueva en su lugar.</translation>
    </message>
    <message>
        <source>This copy does not update itself: unpack a newer one in its place.</source>
        <translation>Esta copia no se actualiza sola: descomprime una más nueva en su lugar.</translation>
    </message>
    <message>
        <source>January</source>
        <translation>enero</translation>
    </message>
    <message>
        <source>February</source>
        <translation>febrero</translation>
    </message>
    <message>
        <source>March</source>
        <translation>marzo</translation>
    </message>
    <message>
        <source>April</source>
        <translation>abril</translation>
    </message>
    <message>
        <source>May</source>
        <translation>mayo</translation>
    </message>
    <message>
        <source>June</source>
        <translation>junio</translation>
    </message>
    <message>
        <source>July</source>
        <translation>julio</translation>
    </message>
    <message>
        <source>August</source>
        <translation>agosto</translation>
    </message>
    <message>
        <source>September</source>
        <translation>septiembre</translation>
    </message>
    <message>
        <source>October</source>
        <translation>octubre</translation>
    </message>
    <message>
        <source>November</source>
        <translation>noviembre</translation>
    </message>
    <message>
        <source>December</source>
        <translation>diciembre</translation>
    </message>
    <message>
        <source>There may be {most_limits} limits, one of a kind for each period.</source>
        <translation>Puede haber {most_limits} límites, uno de cada tipo por periodo.</translation>
    </message>
    <message>
        <source>The old limits hold on.</source>
        <translation>Los límites anteriores siguen vigentes.</translation>
    </message>
    <message>
        <source>Remove one of them.</source>
        <translation>Quita uno de ellos.</translation>
    </message>
    <message>
        <source>The warning at {amount} {name} is passed: with this question it is about {spent}.</source>
        <translation>Se superó el aviso de {amount} {name}: con esta pregunta son unos {spent}.</translation>
    </message>
    <message>
        <source>Nothing is sent beyond {amount}.</source>
        <translation>No se envía nada más allá de {amount}.</translation>
    </message>
    <message>
        <source>Titles and summaries wait.</source>
        <translation>Los títulos y resúmenes esperan.</translation>
    </message>
    <message>
        <source>A limit must be a number from 0 on.</source>
        <translation>Un límite debe ser un número a partir de 0.</translation>
    </message>
    <message>
        <source>Correct the number.</source>
        <translation>Corrige el número.</translation>
    </message>
    <message>
        <source>The warning {name} is above its stop.</source>
        <translation>El aviso {name} está por encima de su tope.</translation>
    </message>
    <message>
        <source>The limit starts again {end}. Raise it, or send this question anyway.</source>
        <translation>El límite se reinicia {end}. Súbelo, o envía esta pregunta de todos modos.</translation>
    </message>
    <message>
        <source>Give the warning a smaller number.</source>
        <translation>Da al aviso un número menor.</translation>
    </message>
    <message>
        <source>tomorrow</source>
        <translation>mañana</translation>
    </message>
    <message>
        <source>on {day} {month}</source>
        <translation>el {day} de {month}</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used.</source>
        <translation>Se alcanzó el límite de {amount} {name}: se usaron {spent}.</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used and this question needs about {needed}.</source>
        <translation>Se alcanzó el límite de {amount} {name}: se usaron {spent} y esta pregunta necesita unos {needed}.</translation>
    </message>
    <message>
        <source>I am the **demo model** that comes with ChatDesk. I cannot work on this, but a model that you connect can.</source>
        <translation>Soy el **modelo de demostración** de ChatDesk. No puedo trabajar en esto, pero un modelo que conectes sí.</translation>
    </message>
    <message>
        <source>This is where a real model would answer. I am the **demo model**: I need no network, and I know nothing.</source>
        <translation>Aquí respondería un modelo real. Soy el **modelo de demostración**: no necesito red y no sé nada.</translation>
    </message>
    <message>
        <source>A good question for a real model! I am the **demo model** and can only show what ChatDesk does.</source>
        <translation>¡Buena pregunta para un modelo real! Soy el **modelo de demostración** y solo puedo mostrar lo que hace ChatDesk.</translation>
    </message>
    <message>
        <source>I am the **demo model** and cannot work on this. Here is how ChatDesk shows such an answer:</source>
        <translation>Soy el **modelo de demostración** y no puedo trabajar en esto. Así muestra ChatDesk una respuesta como esta:</translation>
    </message>
    <message>
        <source>A real model would answer here. This is what its answer could look like:</source>
        <translation>Aquí respondería un modelo real. Así podría ser su respuesta:</translation>
    </message>
    <message>
        <source>I know nothing, but I can show you how such an answer looks in ChatDesk:</source>
        <translation>No sé nada, pero puedo mostrarte cómo se ve una respuesta así en ChatDesk:</translation>
    </message>
    <message>
        <source>This was the **demo model**, which comes with ChatDesk. To get real answers choose *Add provider…* in the list of models at the top. `/demo` lists what else I can show.</source>
        <translation>Esto era el **modelo de demostración** de ChatDesk. Para obtener respuestas reales, elige *Añadir proveedor…* en la lista de modelos de arriba. Con `/demo` verás qué más puedo mostrar.</translation>
    </message>
    <message>
        <source>Hello!</source>
        <translation>¡Hola!</translation>
    </message>
    <message>
        <source>Try one of these with me:</source>
        <translation>Prueba alguna de estas cosas conmigo:</translation>
    </message>
    <message>
        <source>To get real answers choose *Add provider…* in the list of models at the top.</source>
        <translation>Para obtener respuestas reales, elige *Añadir proveedor…* en la lista de modelos de arriba.</translation>
    </message>
    <message>
        <source>Ask for</source>
        <translation>Pide</translation>
    </message>
    <message>
        <source>and see</source>
        <translation>y verás</translation>
    </message>
    <message>
        <source>*a tour*</source>
        <translation>*una visita*</translation>
    </message>
    <message>
        <source>what ChatDesk can do</source>
        <translation>lo que ChatDesk sabe hacer</translation>
    </message>
    <message>
        <source>*code*, *a table*, *a formula*, *a plan*</source>
        <translation>*código*, *una tabla*, *una fórmula*, *un plan*</translation>
    </message>
    <message>
        <source>how an answer is drawn</source>
        <translation>cómo se muestra una respuesta</translation>
    </message>
    <message>
        <source>a long answer, to scroll and to stop</source>
        <translation>una respuesta larga, para desplazarla y detenerla</translation>
    </message>
    <message>
        <source>what happens when a connection breaks</source>
        <translation>qué pasa cuando se corta una conexión</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>todo lo demás</translation>
    </message>
    <message>
        <source>I am the **demo model**. I come with ChatDesk, need no network and no account, and know nothing; but I can show you what ChatDesk does with the answers of a real model.</source>
        <translation>Soy el **modelo de demostración**. Vengo con ChatDesk, no necesito red ni cuenta, y no sé nada; pero puedo mostrarte lo que ChatDesk hace con las respuestas de un modelo real.</translation>
    </message>
    <message>
        <source>What you can do</source>
        <translation>Lo que puedes hacer</translation>
    </message>
    <message>
        <source>How</source>
        <translation>Cómo</translation>
    </message>
    <message>
        <source>Ask again, or another model</source>
        <translation>Preguntar otra vez o a otro modelo</translation>
    </message>
    <message>
        <source>the buttons below an answer, or Ctrl+R</source>
        <translation>los botones bajo una respuesta, o Ctrl+R</translation>
    </message>
    <message>
        <source>Change a question</source>
        <translation>Cambiar una pregunta</translation>
    </message>
    <message>
        <source>its pencil; the old version stays</source>
        <translation>su lápiz; la versión anterior se conserva</translation>
    </message>
    <message>
        <source>Try another direction</source>
        <translation>Probar otra dirección</translation>
    </message>
    <message>
        <source>*Branch* in the menu of a message</source>
        <translation>*Ramificar en una conversación nueva* en el menú de un mensaje</translation>
    </message>
    <message>
        <source>Ask several models at once</source>
        <translation>Preguntar a varios modelos a la vez</translation>
    </message>
    <message>
        <source>*Compare models…* in the list of models</source>
        <translation>*Comparar modelos…* en la lista de modelos</translation>
    </message>
    <message>
        <source>Attach a file or a picture</source>
        <translation>Adjuntar un archivo o una imagen</translation>
    </message>
    <message>
        <source>drop it on the window, or paste it</source>
        <translation>suéltalo en la ventana o pégalo</translation>
    </message>
    <message>
        <source>Stop an answer</source>
        <translation>Detener una respuesta</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>**Ctrl+K** finds every word of every thread, **Ctrl+Shift+P** every command, and **F1** opens the help.</source>
        <translation>**Ctrl+K** encuentra cada palabra de cada conversación; **Ctrl+Mayús+P**, cada comando; y **F1** abre la ayuda.</translation>
    </message>
    <message>
        <source>Projects, tags, pins and an archive keep order; what was deleted waits in the trash.</source>
        <translation>Los proyectos, las etiquetas, las conversaciones fijadas y el archivo mantienen el orden; lo eliminado espera en la papelera.</translation>
    </message>
    <message>
        <source>Everything is on this computer. *Import…* takes over what you have in ChatGPT, Claude and others.</source>
        <translation>Todo está en este dispositivo. *Importar…* trae lo que tienes en ChatGPT, Claude y otros.</translation>
    </message>
    <message>
        <source>The window closes at any time: no word is lost, and an answer can be continued.</source>
        <translation>Puedes cerrar la ventana en cualquier momento: no se pierde ni una palabra, y una respuesta se puede continuar.</translation>
    </message>
    <message>
        <source>Choose *Add provider…* in the list of models at the top, and paste a key.</source>
        <translation>Elige *Añadir proveedor…* en la lista de modelos de arriba y pega una clave.</translation>
    </message>
    <message>
        <source>Or start a server on this computer, such as Ollama: it is found by itself.</source>
        <translation>O inicia un servidor en este dispositivo, como Ollama: se encuentra solo.</translation>
    </message>
    <message>
        <source>Type `/demo` to see what else I can show.</source>
        <translation>Escribe `/demo` para ver qué más puedo mostrar.</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>Respuestas</translation>
    </message>
    <message>
        <source>Code has colours, a button to copy it, and scrolls on its own:</source>
        <translation>El código tiene colores, un botón para copiarlo y se desplaza aparte:</translation>
    </message>
    <message>
        <source>Formulas are drawn, {formula}, and tables are tables:</source>
        <translation>Las fórmulas se dibujan, {formula}, y las tablas son tablas:</translation>
    </message>
    <message>
        <source>Your threads</source>
        <translation>Tus conversaciones</translation>
    </message>
    <message>
        <source>Next</source>
        <comment>steps</comment>
        <translation>A continuación</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Herramientas</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>Embeddings</translation>
    </message>
    <message>
        <source>Week of {words}</source>
        <translation>Semana del {words}</translation>
    </message>
    <message>
        <source>The server&apos;s own model</source>
        <translation>El modelo del servidor</translation>
    </message>
    <message>
        <source>A project that is gone</source>
        <translation>Un proyecto que ya no está</translation>
    </message>
    <message>
        <source>No project</source>
        <translation>Sin proyecto</translation>
    </message>
    <message>
        <source>There is no such token.</source>
        <translation>No existe ese token.</translation>
    </message>
    <message>
        <source>&apos;chatdesk tokens list&apos; shows them all.</source>
        <translation>&apos;chatdesk tokens list&apos; los muestra todos.</translation>
    </message>
    <message>
        <source>A token needs a name.</source>
        <translation>Un token necesita un nombre.</translation>
    </message>
    <message>
        <source>Give it the name of the program that will use it.</source>
        <translation>Dale el nombre del programa que lo usará.</translation>
    </message>
    <message>
        <source>There is already a token called “{name}”.</source>
        <translation>Ya hay un token llamado «{name}».</translation>
    </message>
    <message>
        <source>The folder of the tokens, {folder}, cannot be written to: {reason}.</source>
        <translation>No se puede escribir en la carpeta de los tokens, {folder}: {reason}.</translation>
    </message>
    <message>
        <source>Make it writable; on Linux XDG_STATE_HOME may name another place, here and for the service.</source>
        <translation>Haz que se pueda escribir en ella; en Linux, XDG_STATE_HOME puede indicar otra ubicación, aquí y para el servicio.</translation>
    </message>
    <message>
        <source>owner</source>
        <comment>data directory</comment>
        <translation>ocupante</translation>
    </message>
    <message>
        <source>complete</source>
        <translation>completa</translation>
    </message>
    <message>
        <source>database</source>
        <translation>base de datos</translation>
    </message>
    <message>
        <source>settings</source>
        <translation>ajustes</translation>
    </message>
    <message>
        <source>valid</source>
        <translation>válido</translation>
    </message>
    <message>
        <source>{key} (on, {until})</source>
        <translation>{key} (activado, {until})</translation>
    </message>
    <message>
        <source>{key} (off, {until})</source>
        <translation>{key} (desactivado, {until})</translation>
    </message>
    <message>
        <source>valid; tried out until the day given: {trials}</source>
        <translation>válidos; en prueba hasta el día indicado: {trials}</translation>
    </message>
    <message>
        <source>{path} (made when the first thread is)</source>
        <translation>{path} (se crea con la primera conversación)</translation>
    </message>
    <message>
        <source>Restore a backup (&apos;chatdesk restore --list&apos;; they are in {backup_dir}), or copy out what reads with &apos;chatdesk doctor --repair&apos;.</source>
        <translation>Restaura una copia (&apos;chatdesk restore --list&apos;; están en {backup_dir}), o copia lo legible con &apos;chatdesk doctor --repair&apos;.</translation>
    </message>
    <message>
        <source>&apos;chatdesk doctor --repair&apos; repairs it.</source>
        <translation>&apos;chatdesk doctor --repair&apos; la repara.</translation>
    </message>
    <message numerus="yes">
        <source>{path} is damaged ({count} findings: {first}).</source>
        <comment>{path} is damaged ({count} finding: {first}).</comment>
        <translation>
            <numerusform>{path} está dañada ({count} problema: {first}).</numerusform>
            <numerusform>{path} está dañada ({count} problemas: {first}).</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is sound; schema {schema}, SQLite {sqlite}</source>
        <translation>{path} está en buen estado; esquema {schema}, SQLite {sqlite}</translation>
    </message>
    <message>
        <source>database opening</source>
        <translation>apertura de la base de datos</translation>
    </message>
    <message>
        <source>database writing</source>
        <translation>escritura en la base de datos</translation>
    </message>
    <message>
        <source>workspace {name}</source>
        <translation>espacio de trabajo {name}</translation>
    </message>
    <message>
        <source>{database} on {host}; parked: this profile was restored or repaired, or a copy of it is in use; Connect again in Settings, Team sync, or &apos;chatdesk team join&apos; connects</source>
        <translation>{database} en {host}; apartado: este perfil se restauró o se reparó, o hay una copia suya en uso; se conecta con «Conectar de nuevo» en Ajustes, Sincronización del equipo, o con &apos;chatdesk team join&apos;</translation>
    </message>
    <message>
        <source>{shared} shared, {waiting} waiting to be sent, {refused} refused</source>
        <translation>{shared} compartidos, {waiting} por enviar, {refused} rechazados</translation>
    </message>
    <message>
        <source>nothing was synced yet</source>
        <translation>aún no se ha sincronizado nada</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {problem}</source>
        <translation>última línea de su registro, {at}: {problem}</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {sent} sent, {received} received</source>
        <translation>última línea de su registro, {at}: {sent} enviados, {received} recibidos</translation>
    </message>
    <message>
        <source>Details in the line below the threads says why, copies out, and tries again</source>
        <translation>«Detalles…» en la línea bajo las conversaciones explica por qué, copia y vuelve a intentarlo</translation>
    </message>
    <message>
        <source>{let_in} shared with you again; choose Share… to send their copies</source>
        <translation>{let_in} compartidos contigo de nuevo; elige Compartir… para enviar sus copias</translation>
    </message>
    <message>
        <source>{first}; {rest}</source>
        <translation>{first}; {rest}</translation>
    </message>
    <message>
        <source>provider {name}</source>
        <translation>proveedor {name}</translation>
    </message>
    <message>
        <source>file of providers</source>
        <translation>archivo de proveedores</translation>
    </message>
    <message>
        <source>there is none yet</source>
        <translation>aún no existe</translation>
    </message>
    <message>
        <source>A backup in {backup_dir} may still have the original.</source>
        <translation>Quizá una copia de {backup_dir} conserve el original.</translation>
    </message>
    <message>
        <source>no window is open and no other command is running</source>
        <translation>no hay ninguna ventana abierta ni ningún otro comando en marcha</translation>
    </message>
    <message>
        <source>a window</source>
        <translation>una ventana</translation>
    </message>
    <message>
        <source>{name}, process {pid}</source>
        <translation>{name}, proceso {pid}</translation>
    </message>
    <message>
        <source>{who}, does not answer. If it hangs, end it.</source>
        <translation>{who} no responde. Si está bloqueado, termina el proceso.</translation>
    </message>
    <message>
        <source>{count} {status}</source>
        <translation>{count} {status}</translation>
    </message>
    <message>
        <source>{who}, open for {minutes} min; {late} ms late at most; answers: {answers}; {waiting} waiting.</source>
        <translation>{who}, en marcha desde hace {minutes} min; {late} ms de retraso como máximo; respuestas: {answers}; {waiting} en espera.</translation>
    </message>
    <message>
        <source>Its database cannot be read ({reason}).</source>
        <translation>No se puede leer su base de datos ({reason}).</translation>
    </message>
    <message>
        <source>the last write failed</source>
        <translation>falló la última escritura</translation>
    </message>
    <message>
        <source>It cannot save ({reason}).</source>
        <translation>No puede guardar ({reason}).</translation>
    </message>
    <message>
        <source>It reacts late.</source>
        <translation>Responde con retraso.</translation>
    </message>
    <message>
        <source>Provider {id} cannot be reached.</source>
        <translation>No se puede contactar con el proveedor {id}.</translation>
    </message>
    <message>
        <source>Workspace {workspace}: {reason}.</source>
        <translation>Espacio de trabajo {workspace}: {reason}.</translation>
    </message>
    <message>
        <source>keyring</source>
        <translation>llavero</translation>
    </message>
    <message>
        <source>{detail} Keys come from variables or an encrypted file, or hold for one run.</source>
        <translation>{detail} Las claves vienen de variables o de un archivo cifrado, o valen hasta cerrar.</translation>
    </message>
    <message>
        <source>{missing} missing or damaged: token counts are estimates.</source>
        <translation>{missing} faltan o están dañados: los recuentos de tokens son estimaciones.</translation>
    </message>
    <message>
        <source>token encodings</source>
        <translation>codificaciones de tokens</translation>
    </message>
    <message>
        <source>both here and intact</source>
        <translation>las dos están presentes e intactas</translation>
    </message>
    <message>
        <source>updates</source>
        <translation>actualizaciones</translation>
    </message>
    <message>
        <source>Another process has this data directory open.</source>
        <translation>Otro proceso tiene abierta esta carpeta de datos.</translation>
    </message>
    <message>
        <source>Restore in its window.</source>
        <translation>Restaura la copia desde su ventana.</translation>
    </message>
    <message>
        <source>The model did not answer within {longest_s} s.</source>
        <translation>El modelo no respondió en {longest_s} s.</translation>
    </message>
    <message>
        <source>Read projects, threads and messages</source>
        <translation>Leer proyectos, conversaciones y mensajes</translation>
    </message>
    <message>
        <source>Create, change and trash threads and messages; write notes</source>
        <translation>Crear, cambiar y enviar a la papelera conversaciones y mensajes; escribir notas</translation>
    </message>
    <message>
        <source>Ask questions and stop answers</source>
        <translation>Hacer preguntas y detener respuestas</translation>
    </message>
    <message>
        <source>Administer ChatDesk</source>
        <translation>Administrar ChatDesk</translation>
    </message>
    <message>
        <source>Connect from another computer</source>
        <translation>Conectarse desde otro dispositivo</translation>
    </message>
    <message>
        <source>The local service is off.</source>
        <translation>El servicio local está desactivado.</translation>
    </message>
    <message>
        <source>Turn it on in the settings.</source>
        <translation>Actívalo en los ajustes.</translation>
    </message>
    <message>
        <source>Close it first, or choose another --data-dir.</source>
        <translation>Ciérralo primero o elige otro --data-dir.</translation>
    </message>
    <message>
        <source>The local service ended because of a fault in ChatDesk.</source>
        <translation>El servicio local se cerró por un fallo de ChatDesk.</translation>
    </message>
    <message>
        <source>Try again; the log says more.</source>
        <translation>Inténtalo de nuevo; hay más detalles en el registro.</translation>
    </message>
    <message>
        <source>You: {question}</source>
        <translation>Tú: {question}</translation>
    </message>
    <message>
        <source>Status: {status}. Thread: {id}.</source>
        <translation>Estado: {status}. Conversación: {id}.</translation>
    </message>
    <message>
        <source>Screenshot: {path}</source>
        <translation>Captura de pantalla: {path}</translation>
    </message>
    <message>
        <source>Screenshot: could not be saved</source>
        <translation>Captura de pantalla: no se pudo guardar</translation>
    </message>
    <message>
        <source>Something failed that ChatDesk needs to start.</source>
        <translation>Falló algo que ChatDesk necesita para iniciarse.</translation>
    </message>
    <message>
        <source>Start it again; “chatdesk doctor” and the log say more.</source>
        <translation>Inícialo de nuevo; hay más detalles en «chatdesk doctor» y en el registro.</translation>
    </message>
    <message>
        <source>Not saved</source>
        <translation>Sin guardar</translation>
    </message>
    <message>
        <source>All changes saved</source>
        <translation>Todo guardado</translation>
    </message>
    <message>
        <source>Not opened</source>
        <translation>Sin abrir</translation>
    </message>
    <message>
        <source>Read only</source>
        <translation>Solo lectura</translation>
    </message>
    <message>
        <source>The database was upgraded; a backup of the old one is kept.</source>
        <translation>La base de datos se actualizó; se conserva una copia de la anterior.</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers were interrupted last time. The text is kept; Continue goes on.</source>
        <comment>An answer was interrupted last time. The text is kept; Continue goes on.</comment>
        <translation>
            <numerusform>Se interrumpió una respuesta la última vez. El texto se conserva; con Continuar se retoma.</numerusform>
            <numerusform>Se interrumpieron {count} respuestas la última vez. El texto se conserva; con Continuar se retoman.</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly last time. Your messages are kept.</source>
        <translation>ChatDesk se cerró de forma inesperada la última vez. Tus mensajes se conservan.</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Ayuda</translation>
    </message>
    <message>
        <source>The pages of help are not in this installation of ChatDesk.</source>
        <translation>Las páginas de ayuda no están en esta instalación de ChatDesk.</translation>
    </message>
    <message>
        <source>The pages of help open outside of ChatDesk. They are in {page}.</source>
        <translation>Las páginas de ayuda se abren fuera de ChatDesk. Están en {page}.</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>Guardar el informe</translation>
    </message>
    <message>
        <source>Zip (*.zip)</source>
        <translation>Zip (*.zip)</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>Guardado como {name}.</translation>
    </message>
    <message>
        <source>{one} and {other}</source>
        <translation>{one} y {other}</translation>
    </message>
    <message>
        <source>No connection to {providers}. Your questions are kept.</source>
        <translation>Sin conexión con {providers}. Tus preguntas se conservan.</translation>
    </message>
    <message numerus="yes">
        <source>No connection to {providers}. {count} questions are kept, and sent when it is back.</source>
        <comment>No connection to {providers}. Your question is kept, and sent when it is back.</comment>
        <translation>
            <numerusform>Sin conexión con {providers}. Tu pregunta se conserva y se enviará cuando vuelva la conexión.</numerusform>
            <numerusform>Sin conexión con {providers}. {count} preguntas se conservan y se enviarán cuando vuelva la conexión.</numerusform>
        </translation>
    </message>
    <message>
        <source>Close a window first: {count} are open.</source>
        <translation>Cierra antes una ventana: hay {count} abiertas.</translation>
    </message>
    <message>
        <source>A temporary chat stays in its place. Keep it to open it elsewhere.</source>
        <translation>Un chat temporal se queda en su sitio. Consérvalo para abrirlo en otro lugar.</translation>
    </message>
    <message>
        <source>My message is in the attached file, because it is too long to be sent whole.</source>
        <translation>Mi mensaje está en el archivo adjunto, porque es demasiado largo para enviarlo entero.</translation>
    </message>
    <message>
        <source>Sent as a file, from which the model gets what fits</source>
        <translation>Enviado como archivo, del que el modelo recibe lo que cabe</translation>
    </message>
    <message>
        <source>Type a message</source>
        <translation>Escribe un mensaje</translation>
    </message>
    <message>
        <source>New thread</source>
        <translation>Conversación nueva</translation>
    </message>
    <message>
        <source>New temporary chat</source>
        <translation>Chat temporal nuevo</translation>
    </message>
    <message>
        <source>Keep this temporary chat</source>
        <translation>Conservar este chat temporal</translation>
    </message>
    <message>
        <source>Close the temporary chat</source>
        <translation>Cerrar el chat temporal</translation>
    </message>
    <message>
        <source>Rename thread</source>
        <translation>Renombrar conversación</translation>
    </message>
    <message>
        <source>Pin or unpin thread</source>
        <translation>Fijar o desfijar conversación</translation>
    </message>
    <message>
        <source>Mark as read</source>
        <translation>Marcar como leída</translation>
    </message>
    <message>
        <source>Archive thread, or take it out</source>
        <translation>Archivar o desarchivar conversación</translation>
    </message>
    <message>
        <source>Move to a project…</source>
        <translation>Mover a un proyecto…</translation>
    </message>
    <message>
        <source>Tags of the thread…</source>
        <translation>Etiquetas de la conversación…</translation>
    </message>
    <message>
        <source>Restore from the trash</source>
        <translation>Restaurar de la papelera</translation>
    </message>
    <message>
        <source>Mark all threads of the list</source>
        <translation>Marcar todas las conversaciones de la lista</translation>
    </message>
    <message>
        <source>Ctrl+A in the list</source>
        <translation>Ctrl+A en la lista</translation>
    </message>
    <message>
        <source>System prompt…</source>
        <translation>Prompt de sistema…</translation>
    </message>
    <message>
        <source>Choose the model…</source>
        <translation>Elegir el modelo…</translation>
    </message>
    <message>
        <source>Parameters…</source>
        <translation>Parámetros…</translation>
    </message>
    <message>
        <source>Copy thread</source>
        <translation>Copiar conversación</translation>
    </message>
    <message>
        <source>Copy link to the thread</source>
        <translation>Copiar enlace de la conversación</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportar…</translation>
    </message>
    <message>
        <source>Export thread as Markdown…</source>
        <translation>Exportar conversación como Markdown…</translation>
    </message>
    <message>
        <source>Export thread as JSON…</source>
        <translation>Exportar conversación como JSON…</translation>
    </message>
    <message>
        <source>Delete thread</source>
        <translation>Eliminar conversación</translation>
    </message>
    <message>
        <source>Del in the list</source>
        <translation>Supr en la lista</translation>
    </message>
    <message>
        <source>Erase thread for everyone…</source>
        <translation>Borrar conversación para todos…</translation>
    </message>
    <message>
        <source>Undo the last change</source>
        <translation>Deshacer el último cambio</translation>
    </message>
    <message>
        <source>Redo what was undone</source>
        <translation>Rehacer lo deshecho</translation>
    </message>
    <message>
        <source>Switch project…</source>
        <translation>Cambiar de proyecto…</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>Proyecto nuevo…</translation>
    </message>
    <message>
        <source>Edit project…</source>
        <translation>Editar proyecto…</translation>
    </message>
    <message>
        <source>Files of the project…</source>
        <translation>Archivos del proyecto…</translation>
    </message>
    <message>
        <source>Memory…</source>
        <translation>Memoria…</translation>
    </message>
    <message>
        <source>System prompt of the project…</source>
        <translation>Prompt de sistema del proyecto…</translation>
    </message>
    <message>
        <source>Parameters of the project…</source>
        <translation>Parámetros del proyecto…</translation>
    </message>
    <message>
        <source>Share project, or change its sharing…</source>
        <translation>Compartir proyecto o cambiar cómo se comparte…</translation>
    </message>
    <message>
        <source>Archive project, or take it out</source>
        <translation>Archivar o desarchivar proyecto</translation>
    </message>
    <message>
        <source>Delete project…</source>
        <translation>Eliminar proyecto…</translation>
    </message>
    <message>
        <source>All tags…</source>
        <translation>Todas las etiquetas…</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>Detener la respuesta</translation>
    </message>
    <message>
        <source>Go to the call that waits for approval</source>
        <translation>Ir a la llamada que espera aprobación</translation>
    </message>
    <message>
        <source>Review proposed changes to files</source>
        <translation>Revisar cambios propuestos en archivos</translation>
    </message>
    <message>
        <source>Add as note</source>
        <translation>Añadir como nota</translation>
    </message>
    <message>
        <source>Regenerate the last answer</source>
        <translation>Regenerar la última respuesta</translation>
    </message>
    <message>
        <source>Regenerate with another model…</source>
        <translation>Regenerar con otro modelo…</translation>
    </message>
    <message>
        <source>Compare models…</source>
        <translation>Comparar modelos…</translation>
    </message>
    <message>
        <source>Edit my last message</source>
        <translation>Editar mi último mensaje</translation>
    </message>
    <message>
        <source>Up in an empty composer</source>
        <translation>Flecha arriba en un cuadro de mensaje vacío</translation>
    </message>
    <message>
        <source>Edit the answer</source>
        <translation>Editar la respuesta</translation>
    </message>
    <message>
        <source>Open the page of an answer in the browser</source>
        <translation>Abrir la página de una respuesta en el navegador</translation>
    </message>
    <message>
        <source>Stop the answer and send the waiting question</source>
        <translation>Detener la respuesta y enviar la pregunta en espera</translation>
    </message>
    <message>
        <source>Edit the last waiting question</source>
        <translation>Editar la última pregunta en espera</translation>
    </message>
    <message>
        <source>Attach files…</source>
        <translation>Adjuntar archivos…</translation>
    </message>
    <message>
        <source>Insert a prompt…</source>
        <translation>Insertar un prompt…</translation>
    </message>
    <message>
        <source>/ in an empty line</source>
        <translation>/ en una línea vacía</translation>
    </message>
    <message>
        <source>Save as prompt…</source>
        <translation>Guardar como prompt…</translation>
    </message>
    <message>
        <source>Prompts…</source>
        <translation>Prompts…</translation>
    </message>
    <message>
        <source>Choose assistant…</source>
        <translation>Elegir asistente…</translation>
    </message>
    <message>
        <source>@ for one question</source>
        <translation>@ para una pregunta</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>Copiar la última respuesta</translation>
    </message>
    <message>
        <source>Copy the selection as Markdown</source>
        <translation>Copiar la selección como Markdown</translation>
    </message>
    <message>
        <source>Copy the selection as plain text</source>
        <translation>Copiar la selección como texto sin formato</translation>
    </message>
    <message>
        <source>Copy the selection as rich text</source>
        <translation>Copiar la selección como texto con formato</translation>
    </message>
    <message>
        <source>Copy link to the message</source>
        <translation>Copiar enlace del mensaje</translation>
    </message>
    <message>
        <source>Quote the selection in the composer</source>
        <translation>Citar la selección en el cuadro de mensaje</translation>
    </message>
    <message>
        <source>Remember the selection…</source>
        <translation>Recordar la selección…</translation>
    </message>
    <message>
        <source>Previous version</source>
        <translation>Versión anterior</translation>
    </message>
    <message>
        <source>Next version</source>
        <translation>Versión siguiente</translation>
    </message>
    <message>
        <source>Compare versions</source>
        <translation>Comparar versiones</translation>
    </message>
    <message>
        <source>Continue the answer</source>
        <translation>Continuar la respuesta</translation>
    </message>
    <message>
        <source>Ask for a shorter answer</source>
        <translation>Pedir una respuesta más corta</translation>
    </message>
    <message>
        <source>Ask for a longer answer</source>
        <translation>Pedir una respuesta más larga</translation>
    </message>
    <message>
        <source>Branch into a new thread</source>
        <translation>Ramificar en una conversación nueva</translation>
    </message>
    <message>
        <source>Open code or a file as artifact</source>
        <translation>Abrir código o un archivo como artefacto</translation>
    </message>
    <message>
        <source>Pin into the context, or unpin</source>
        <translation>Fijar en el contexto o desfijar</translation>
    </message>
    <message>
        <source>Exclude from the context, or include</source>
        <translation>Excluir del contexto o incluir</translation>
    </message>
    <message>
        <source>Start the context here</source>
        <translation>Empezar el contexto aquí</translation>
    </message>
    <message>
        <source>Start the context at the beginning</source>
        <translation>Empezar el contexto desde el principio</translation>
    </message>
    <message>
        <source>Delete the message</source>
        <translation>Eliminar el mensaje</translation>
    </message>
    <message>
        <source>Search everything…</source>
        <translation>Buscar en todo…</translation>
    </message>
    <message>
        <source>Filter the list of threads</source>
        <translation>Filtrar la lista de conversaciones</translation>
    </message>
    <message>
        <source>Find in thread</source>
        <translation>Buscar en la conversación</translation>
    </message>
    <message>
        <source>Next match</source>
        <translation>Coincidencia siguiente</translation>
    </message>
    <message>
        <source>Previous match</source>
        <translation>Coincidencia anterior</translation>
    </message>
    <message>
        <source>Show the questions of this thread</source>
        <translation>Mostrar las preguntas de esta conversación</translation>
    </message>
    <message>
        <source>Jump to a date…</source>
        <translation>Ir a una fecha…</translation>
    </message>
    <message>
        <source>Go to the composer</source>
        <translation>Ir al cuadro de mensaje</translation>
    </message>
    <message>
        <source>Previous thread</source>
        <translation>Conversación anterior</translation>
    </message>
    <message>
        <source>Next thread</source>
        <translation>Conversación siguiente</translation>
    </message>
    <message>
        <source>Next part of the window</source>
        <translation>Parte siguiente de la ventana</translation>
    </message>
    <message>
        <source>Previous part of the window</source>
        <translation>Parte anterior de la ventana</translation>
    </message>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>Mostrar u ocultar el panel lateral</translation>
    </message>
    <message>
        <source>Show threads</source>
        <translation>Mostrar conversaciones</translation>
    </message>
    <message>
        <source>Show the archive</source>
        <translation>Mostrar el archivo</translation>
    </message>
    <message>
        <source>Show the trash</source>
        <translation>Mostrar la papelera</translation>
    </message>
    <message>
        <source>Deleted messages…</source>
        <translation>Mensajes eliminados…</translation>
    </message>
    <message>
        <source>Empty the trash…</source>
        <translation>Vaciar la papelera…</translation>
    </message>
    <message>
        <source>Sort threads by name or by last activity</source>
        <translation>Ordenar conversaciones por nombre o última actividad</translation>
    </message>
    <message>
        <source>Group threads by project or by date</source>
        <translation>Agrupar conversaciones por proyecto o fecha</translation>
    </message>
    <message>
        <source>Wider sidebar</source>
        <translation>Panel lateral más ancho</translation>
    </message>
    <message>
        <source>Narrower sidebar</source>
        <translation>Panel lateral más estrecho</translation>
    </message>
    <message>
        <source>Show or hide the inspector</source>
        <translation>Mostrar u ocultar el inspector</translation>
    </message>
    <message>
        <source>Show what the model will see</source>
        <translation>Mostrar lo que verá el modelo</translation>
    </message>
    <message>
        <source>Show the summary of older messages</source>
        <translation>Mostrar el resumen de los mensajes antiguos</translation>
    </message>
    <message>
        <source>Show what this thread used</source>
        <translation>Mostrar lo que usó esta conversación</translation>
    </message>
    <message>
        <source>Show the tree of versions</source>
        <translation>Mostrar el árbol de versiones</translation>
    </message>
    <message>
        <source>Show the artifacts of this thread</source>
        <translation>Mostrar los artefactos de esta conversación</translation>
    </message>
    <message>
        <source>Switch theme</source>
        <translation>Cambiar de tema</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>Texto más grande</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>Texto más pequeño</translation>
    </message>
    <message>
        <source>Normal text size</source>
        <translation>Tamaño de texto normal</translation>
    </message>
    <message>
        <source>Show or hide the menu bar</source>
        <translation>Mostrar u ocultar la barra de menús</translation>
    </message>
    <message>
        <source>Add a provider…</source>
        <translation>Añadir un proveedor…</translation>
    </message>
    <message>
        <source>Tools…</source>
        <translation>Herramientas…</translation>
    </message>
    <message>
        <source>Manage models…</source>
        <translation>Gestionar modelos…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>Importar…</translation>
    </message>
    <message>
        <source>Back up now</source>
        <translation>Hacer copia ahora</translation>
    </message>
    <message>
        <source>Restore a backup…</source>
        <translation>Restaurar una copia…</translation>
    </message>
    <message>
        <source>Check the database</source>
        <translation>Comprobar la base de datos</translation>
    </message>
    <message>
        <source>Repair the database</source>
        <translation>Reparar la base de datos</translation>
    </message>
    <message>
        <source>Quick question</source>
        <translation>Pregunta rápida</translation>
    </message>
    <message>
        <source>All commands…</source>
        <translation>Todos los comandos…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Ajustes…</translation>
    </message>
    <message>
        <source>Team sync…</source>
        <translation>Sincronización del equipo…</translation>
    </message>
    <message>
        <source>Join a workspace…</source>
        <translation>Unirse a un espacio de trabajo…</translation>
    </message>
    <message>
        <source>Invite to the workspace…</source>
        <translation>Invitar al espacio de trabajo…</translation>
    </message>
    <message>
        <source>Sync now</source>
        <translation>Sincronizar ahora</translation>
    </message>
    <message>
        <source>Details of team sync…</source>
        <translation>Detalles de la sincronización…</translation>
    </message>
    <message>
        <source>Usage…</source>
        <translation>Uso…</translation>
    </message>
    <message>
        <source>Messages that wait to be sent…</source>
        <translation>Mensajes pendientes de envío…</translation>
    </message>
    <message>
        <source>Limits…</source>
        <translation>Límites…</translation>
    </message>
    <message>
        <source>Report a problem…</source>
        <translation>Informar de un problema…</translation>
    </message>
    <message>
        <source>Updates…</source>
        <translation>Actualizaciones…</translation>
    </message>
    <message>
        <source>About ChatDesk</source>
        <translation>Acerca de ChatDesk</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Salir</translation>
    </message>
    <message>
        <source>Thread</source>
        <translation>Conversación</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Proyecto</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Mensaje</translation>
    </message>
    <message>
        <source>Go</source>
        <translation>Ir</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Ver</translation>
    </message>
    <message>
        <source>Application</source>
        <translation>Aplicación</translation>
    </message>
    <message>
        <source>These keys cannot be used.</source>
        <translation>Estas teclas no se pueden usar.</translation>
    </message>
    <message>
        <source>{keys} is needed for writing and moving about. Add Ctrl or Alt.</source>
        <translation>{keys} hace falta para escribir y moverse. Añade Ctrl o Alt.</translation>
    </message>
    <message>
        <source>{keys} is needed in every text field.</source>
        <translation>{keys} hace falta en todos los campos de texto.</translation>
    </message>
    <message>
        <source>{keys} belongs to the system and would not reach ChatDesk.</source>
        <translation>{keys} es del sistema y no llegaría a ChatDesk.</translation>
    </message>
    <message>
        <source>There is no finished message here.</source>
        <translation>Aquí no hay ningún mensaje terminado.</translation>
    </message>
    <message>
        <source>There is no finished answer here.</source>
        <translation>Aquí no hay ninguna respuesta terminada.</translation>
    </message>
    <message>
        <source>Shorter</source>
        <translation>Más corta</translation>
    </message>
    <message>
        <source>Longer</source>
        <translation>Más larga</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Copiar</translation>
    </message>
    <message>
        <source>Copy selection</source>
        <translation>Copiar selección</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>Copiar como Markdown</translation>
    </message>
    <message>
        <source>Copy as plain text</source>
        <translation>Copiar como texto sin formato</translation>
    </message>
    <message>
        <source>Copy as rich text</source>
        <translation>Copiar como texto con formato</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>Copiar enlace</translation>
    </message>
    <message>
        <source>Quote</source>
        <translation>Citar</translation>
    </message>
    <message>
        <source>Quote selection</source>
        <translation>Citar selección</translation>
    </message>
    <message>
        <source>Remember selection…</source>
        <translation>Recordar la selección…</translation>
    </message>
    <message>
        <source>Open as artifact</source>
        <translation>Abrir como artefacto</translation>
    </message>
    <message>
        <source>No message in view has a file, or code of 15 lines or more.</source>
        <translation>Ningún mensaje a la vista tiene un archivo, ni código de 15 líneas o más.</translation>
    </message>
    <message>
        <source>Open page in browser</source>
        <translation>Abrir la página en el navegador</translation>
    </message>
    <message>
        <source>No message in view has a block of HTML.</source>
        <translation>Ningún mensaje a la vista tiene un bloque HTML.</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Respuesta</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Nota</translation>
    </message>
    <message>
        <source>Reasoning</source>
        <translation>Razonamiento</translation>
    </message>
    <message>
        <source>Tool call</source>
        <translation>Llamada a herramienta</translation>
    </message>
    <message>
        <source>Image: {name}</source>
        <translation>Imagen: {name}</translation>
    </message>
    <message>
        <source>File: {name}</source>
        <translation>Archivo: {name}</translation>
    </message>
    <message>
        <source>Image: {name} ({problem})</source>
        <translation>Imagen: {name} ({problem})</translation>
    </message>
    <message>
        <source>File: {name} ({problem})</source>
        <translation>Archivo: {name} ({problem})</translation>
    </message>
    <message>
        <source>attachment</source>
        <translation>adjunto</translation>
    </message>
    <message>
        <source>its bytes are missing or damaged</source>
        <translation>su contenido falta o está dañado</translation>
    </message>
    <message>
        <source>at an unknown time</source>
        <translation>en fecha desconocida</translation>
    </message>
    <message>
        <source>{year}-{month}-{day} {hour}:{minute} UTC</source>
        <translation>{day}/{month}/{year} {hour}:{minute} UTC</translation>
    </message>
    <message>
        <source>The link “{words}” leads to {place}.</source>
        <translation>El enlace «{words}» lleva a {place}.</translation>
    </message>
    <message>
        <source>More links of this message lead elsewhere than their words say.</source>
        <translation>Otros enlaces de este mensaje llevan a un lugar distinto del que dicen.</translation>
    </message>
    <message>
        <source>Answer</source>
        <comment>verb</comment>
        <translation>Responder</translation>
    </message>
    <message>
        <source>Regenerate</source>
        <translation>Regenerar</translation>
    </message>
    <message>
        <source>Answer with another model…</source>
        <translation>Responder con otro modelo…</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Editar</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Continuar</translation>
    </message>
    <message>
        <source>There is no answer here that could be continued.</source>
        <translation>Aquí no hay ninguna respuesta que se pueda continuar.</translation>
    </message>
    <message>
        <source>Decide about open calls…</source>
        <translation>Decidir sobre llamadas pendientes…</translation>
    </message>
    <message>
        <source>Review proposed changes…</source>
        <translation>Revisar cambios propuestos…</translation>
    </message>
    <message>
        <source>No answer here proposes changes to files.</source>
        <translation>Ninguna respuesta aquí propone cambios en archivos.</translation>
    </message>
    <message>
        <source>Edit answer</source>
        <translation>Editar respuesta</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Intentar de nuevo</translation>
    </message>
    <message>
        <source>There is no earlier version of this message.</source>
        <translation>No hay versión anterior de este mensaje.</translation>
    </message>
    <message>
        <source>There is no later version of this message.</source>
        <translation>No hay versión posterior de este mensaje.</translation>
    </message>
    <message>
        <source>This answer has one version only.</source>
        <translation>Esta respuesta solo tiene una versión.</translation>
    </message>
    <message>
        <source>Pin into the context</source>
        <translation>Fijar en el contexto</translation>
    </message>
    <message>
        <source>Unpin from the context</source>
        <translation>Desfijar del contexto</translation>
    </message>
    <message>
        <source>Exclude from the context</source>
        <translation>Excluir del contexto</translation>
    </message>
    <message>
        <source>Include in the context</source>
        <translation>Incluir en el contexto</translation>
    </message>
    <message>
        <source>Let the model see it</source>
        <translation>Dejar que el modelo la vea</translation>
    </message>
    <message>
        <source>Include in the context again</source>
        <translation>Incluir de nuevo en el contexto</translation>
    </message>
    <message>
        <source>The context starts here already.</source>
        <translation>El contexto ya empieza aquí.</translation>
    </message>
    <message>
        <source>The context starts at the beginning already.</source>
        <translation>El contexto ya empieza desde el principio.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Eliminar</translation>
    </message>
    <message>
        <source>Erase for everyone…</source>
        <translation>Borrar para todos…</translation>
    </message>
    <message>
        <source>Open in a new window</source>
        <translation>Abrir en una ventana nueva</translation>
    </message>
    <message>
        <source>Open beside</source>
        <translation>Abrir al lado</translation>
    </message>
    <message>
        <source>Close this chat or window</source>
        <translation>Cerrar este chat o ventana</translation>
    </message>
    <message>
        <source>Go to the chat at the left</source>
        <translation>Ir al chat de la izquierda</translation>
    </message>
    <message>
        <source>Go to the chat at the right</source>
        <translation>Ir al chat de la derecha</translation>
    </message>
    <message>
        <source>Keep this one</source>
        <translation>Conservar esta</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Detener</translation>
    </message>
    <message>
        <source>Edited answer</source>
        <translation>Respuesta editada</translation>
    </message>
    <message>
        <source>Stop the edited answer</source>
        <translation>Detener la respuesta editada</translation>
    </message>
    <message>
        <source>Keep the edited answer</source>
        <translation>Conservar la respuesta editada</translation>
    </message>
    <message>
        <source>Keep the answer</source>
        <translation>Conservar la respuesta</translation>
    </message>
    <message>
        <source>Answer of {model}</source>
        <translation>Respuesta de {model}</translation>
    </message>
    <message>
        <source>Stop the answer of {model}</source>
        <translation>Detener la respuesta de {model}</translation>
    </message>
    <message>
        <source>Keep the answer of {model}</source>
        <translation>Conservar la respuesta de {model}</translation>
    </message>
    <message>
        <source>Compared answers</source>
        <translation>Respuestas comparadas</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Volver</translation>
    </message>
    <message>
        <source>Back to the thread; all answers stay as versions</source>
        <translation>Volver a la conversación; todas las respuestas quedan como versiones</translation>
    </message>
    <message>
        <source>Your question: {question}</source>
        <translation>Tu pregunta: {question}</translation>
    </message>
    <message>
        <source>{name}, being copied</source>
        <translation>{name}, copiándose</translation>
    </message>
    <message>
        <source>Remove {file}</source>
        <translation>Quitar {file}</translation>
    </message>
    <message>
        <source>Remove (Delete)</source>
        <translation>Quitar (Supr)</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Quitar</translation>
    </message>
    <message>
        <source>{name} is attached</source>
        <translation>Se adjuntó {name}</translation>
    </message>
    <message>
        <source>{name} is removed</source>
        <translation>Se quitó {name}</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>Enviar</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>Detener la respuesta (Esc)</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>Adjuntar archivos</translation>
    </message>
    <message>
        <source>Files, prompts, parameters and tools</source>
        <translation>Archivos, prompts, parámetros y herramientas</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Your text is kept.</source>
        <translation>Espera la respuesta o pulsa Esc para detenerla. Tu texto se conserva.</translation>
    </message>
    <message>
        <source>{size} is more than one message can hold ({limit}). Split the text.</source>
        <translation>{size} es más de lo que cabe en un mensaje ({limit}). Divide el texto.</translation>
    </message>
    <message>
        <source>Send after the answer</source>
        <translation>Enviar tras la respuesta</translation>
    </message>
    <message>
        <source>The files are still being copied. The message is sent when they are there.</source>
        <translation>Los archivos aún se están copiando. El mensaje se enviará cuando terminen.</translation>
    </message>
    <message>
        <source>Not sent yet: see the note above your text, then send again.</source>
        <translation>Aún sin enviar: lee la nota que hay encima de tu texto y envía de nuevo.</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>Prompts</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts, arrows choose, Enter inserts, Esc closes.</source>
        <comment>{count} prompt, arrows choose, Enter inserts, Esc closes.</comment>
        <translation>
            <numerusform>{count} prompt, las flechas eligen, Intro inserta, Esc cierra.</numerusform>
            <numerusform>{count} prompts, las flechas eligen, Intro inserta, Esc cierra.</numerusform>
        </translation>
    </message>
    <message>
        <source>Edit prompts…</source>
        <translation>Editar prompts…</translation>
    </message>
    <message>
        <source>All templates and system prompts</source>
        <translation>Todas las plantillas y prompts de sistema</translation>
    </message>
    <message>
        <source>Find a prompt</source>
        <translation>Buscar un prompt</translation>
    </message>
    <message>
        <source>No prompt matches.</source>
        <translation>Ningún prompt coincide.</translation>
    </message>
    <message>
        <source>{item}, {row} of {count}</source>
        <translation>{item}, {row} de {count}</translation>
    </message>
    <message>
        <source>{leave}: {state}</source>
        <translation>{leave}: {state}</translation>
    </message>
    <message>
        <source>Move up: {text}</source>
        <translation>Subir: {text}</translation>
    </message>
    <message>
        <source>Send it before the one above</source>
        <translation>Enviarla antes que la de arriba</translation>
    </message>
    <message>
        <source>Take it back into the text below</source>
        <translation>Devolverla al texto de abajo</translation>
    </message>
    <message>
        <source>Send now</source>
        <translation>Enviar ahora</translation>
    </message>
    <message>
        <source>Stop the answer, keep what came, and ask this</source>
        <translation>Detener la respuesta, conservar lo que llegó y preguntar esto</translation>
    </message>
    <message numerus="yes">
        <source>{count} more wait…</source>
        <comment>{count} more waits…</comment>
        <translation>
            <numerusform>{count} más espera…</numerusform>
            <numerusform>{count} más esperan…</numerusform>
        </translation>
    </message>
    <message>
        <source>Save these files as a zip and send it with a description of what went wrong. They contain no messages, titles, file names or keys. Look through them first; nothing is sent automatically.</source>
        <translation>Guarda estos archivos en un zip y envíalo con una descripción de lo que salió mal. No contienen mensajes, títulos, nombres de archivo ni claves. Revísalos antes; no se envía nada automáticamente.</translation>
    </message>
    <message>
        <source>Report a problem</source>
        <translation>Informar de un problema</translation>
    </message>
    <message>
        <source>Files of the report</source>
        <translation>Archivos del informe</translation>
    </message>
    <message>
        <source>Text of the file</source>
        <translation>Texto del archivo</translation>
    </message>
    <message>
        <source>Collecting…</source>
        <translation>Reuniendo…</translation>
    </message>
    <message>
        <source>Save as a zip…</source>
        <translation>Guardar como zip…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Cerrar</translation>
    </message>
    <message numerus="yes">
        <source>{count} files, {size} before packing</source>
        <comment>{count} file, {size} before packing</comment>
        <translation>
            <numerusform>{count} archivo, {size} antes de comprimir</numerusform>
            <numerusform>{count} archivos, {size} antes de comprimir</numerusform>
        </translation>
    </message>
    <message>
        <source>(The end of it; the zip has all {count} characters.)
…{end}</source>
        <translation>(El final; el zip tiene los {count} caracteres.)
…{end}</translation>
    </message>
    <message>
        <source>What you typed is not saved. Press Esc again to leave without it.</source>
        <translation>Lo que has escrito no está guardado. Pulsa Esc otra vez para salir sin guardarlo.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Cancelar</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Elegir…</translation>
    </message>
    <message>
        <source>Choose: {name}</source>
        <translation>Elegir: {name}</translation>
    </message>
    <message>
        <source>Remove: {name}</source>
        <translation>Quitar: {name}</translation>
    </message>
    <message>
        <source>Press the keys…</source>
        <translation>Pulsa las teclas…</translation>
    </message>
    <message>
        <source>{keys}. Press Enter to choose others, Delete to remove them, Esc to keep them.</source>
        <translation>{keys}. Intro elige otras, Supr las quita, Esc las conserva.</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Copiar informe</translation>
    </message>
    <message>
        <source>Show file</source>
        <translation>Mostrar archivo</translation>
    </message>
    <message>
        <source>The report could not be read: {reason}.</source>
        <translation>No se pudo leer el informe: {reason}.</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Copiado</translation>
    </message>
    <message>
        <source>Version {version}, with Python {python} and Qt {qt_version}.

Inter and JetBrains Mono are used under the SIL Open Font License, the Lucide icons under the ISC licence.</source>
        <translation>Versión {version}, con Python {python} y Qt {qt_version}.

Inter y JetBrains Mono se usan con la licencia SIL Open Font; los iconos Lucide, con la licencia ISC.</translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation>Enviar el mensaje</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Intro</translation>
    </message>
    <message>
        <source>New line in the composer</source>
        <translation>Línea nueva en el cuadro de mensaje</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Mayús+Intro</translation>
    </message>
    <message>
        <source>Walk through threads</source>
        <translation>Recorrer las conversaciones</translation>
    </message>
    <message>
        <source>Up or Down in the list</source>
        <translation>Flecha arriba o abajo en la lista</translation>
    </message>
    <message>
        <source>Open the thread</source>
        <translation>Abrir la conversación</translation>
    </message>
    <message>
        <source>Enter in the list</source>
        <translation>Intro en la lista</translation>
    </message>
    <message>
        <source>Mark threads</source>
        <translation>Marcar conversaciones</translation>
    </message>
    <message>
        <source>Shift+Down or Ctrl+Space in the list</source>
        <translation>Mayús+Abajo o Ctrl+Espacio en la lista</translation>
    </message>
    <message>
        <source>Menu of a thread</source>
        <translation>Menú de una conversación</translation>
    </message>
    <message>
        <source>Menu in the list</source>
        <translation>Menú en la lista</translation>
    </message>
    <message>
        <source>Between messages</source>
        <translation>Entre mensajes</translation>
    </message>
    <message>
        <source>Ctrl+Down or Ctrl+Up in the thread</source>
        <translation>Ctrl+Abajo o Ctrl+Arriba en la conversación</translation>
    </message>
    <message>
        <source>Links and buttons</source>
        <translation>Enlaces y botones</translation>
    </message>
    <message>
        <source>Tab in the thread</source>
        <translation>Tab en la conversación</translation>
    </message>
    <message>
        <source>Menu of the message</source>
        <translation>Menú del mensaje</translation>
    </message>
    <message>
        <source>Enter or Menu in the thread</source>
        <translation>Intro o Menú en la conversación</translation>
    </message>
    <message>
        <source>Walk through the text</source>
        <translation>Recorrer el texto</translation>
    </message>
    <message>
        <source>F7 in the thread</source>
        <translation>F7 en la conversación</translation>
    </message>
    <message>
        <source>Next group of results</source>
        <translation>Grupo siguiente de resultados</translation>
    </message>
    <message>
        <source>Tab in the search</source>
        <translation>Tab en la búsqueda</translation>
    </message>
    <message>
        <source>Press the new keys for “{name}”.</source>
        <translation>Pulsa las teclas nuevas para «{name}».</translation>
    </message>
    <message>
        <source>Use these</source>
        <translation>Usar estas</translation>
    </message>
    <message>
        <source>{keys} belongs to “{name}”, which would lose it.</source>
        <translation>{keys} es de «{name}», que las perdería.</translation>
    </message>
    <message>
        <source>Take over</source>
        <translation>Reasignarlas</translation>
    </message>
    <message>
        <source>{keys} is free.</source>
        <translation>{keys} está libre.</translation>
    </message>
    <message>
        <source>In place</source>
        <translation>Según el lugar</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>cambiado</translation>
    </message>
    <message>
        <source>changed keys</source>
        <translation>teclas cambiadas</translation>
    </message>
    <message>
        <source>no keys</source>
        <translation>sin teclas</translation>
    </message>
    <message>
        <source>usual keys</source>
        <translation>teclas habituales</translation>
    </message>
    <message>
        <source>Find a command or keys</source>
        <translation>Buscar un comando o teclas</translation>
    </message>
    <message>
        <source>Commands and their keys</source>
        <translation>Comandos y sus teclas</translation>
    </message>
    <message>
        <source>Enter changes the keys, Delete takes them away</source>
        <translation>Intro cambia las teclas, Supr las quita</translation>
    </message>
    <message>
        <source>a very long answer (some 6,000 words)</source>
        <translation>una respuesta muy larga (unas 6000 palabras)</translation>
    </message>
    <message>
        <source>code in several languages</source>
        <translation>código en varios lenguajes</translation>
    </message>
    <message>
        <source>tables, narrow and wide</source>
        <translation>tablas estrechas y anchas</translation>
    </message>
    <message>
        <source>formulas</source>
        <translation>fórmulas</translation>
    </message>
    <message>
        <source>a picture, which is kept as a file of the answer</source>
        <translation>una imagen, que se guarda como archivo de la respuesta</translation>
    </message>
    <message>
        <source>every kind of Markdown</source>
        <translation>todo tipo de Markdown</translation>
    </message>
    <message>
        <source>eight pieces a second: time to press Stop</source>
        <translation>ocho trozos por segundo: tiempo para pulsar Detener</translation>
    </message>
    <message>
        <source>too many requests: a wait that is announced, then an error</source>
        <translation>demasiadas peticiones: una espera anunciada y después un error</translation>
    </message>
    <message>
        <source>the same wait, then an answer</source>
        <translation>la misma espera y después una respuesta</translation>
    </message>
    <message>
        <source>the connection breaks in the middle; Continue finishes</source>
        <translation>la conexión se corta a la mitad; Continuar la termina</translation>
    </message>
    <message>
        <source>thoughts before the answer</source>
        <translation>pensamientos antes de la respuesta</translation>
    </message>
    <message>
        <source>a tool call</source>
        <translation>una llamada a herramienta</translation>
    </message>
    <message>
        <source>There is no demo called {name}. These exist:</source>
        <translation>No hay ninguna demostración llamada {name}. Existen estas:</translation>
    </message>
    <message>
        <source>Try one of these:</source>
        <translation>Prueba una de estas:</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Comando</translation>
    </message>
    <message>
        <source>What it shows</source>
        <translation>Qué muestra</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Teclas</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Estado</translation>
    </message>
    <message>
        <source>Change keys…</source>
        <translation>Cambiar teclas…</translation>
    </message>
    <message>
        <source>Take away</source>
        <translation>Quitar</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Restablecer</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>Restablecer todo</translation>
    </message>
    <message>
        <source>New keys</source>
        <translation>Teclas nuevas</translation>
    </message>
    <message>
        <source>An unexpected failure</source>
        <translation>Un fallo inesperado</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept.</source>
        <translation>Algo salió mal en ChatDesk. Tus mensajes se conservan.</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept, and you can go on. A report was written, without your messages. To send it to the developers, choose “Report a problem…” in the menu: you see everything first.</source>
        <translation>Algo salió mal en ChatDesk. Tus mensajes se conservan y puedes seguir. Se escribió un informe, sin tus mensajes. Para enviarlo a los desarrolladores, elige «Informar de un problema…» en el menú: antes podrás verlo todo.</translation>
    </message>
    <message>
        <source>Details…</source>
        <translation>Detalles…</translation>
    </message>
    <message>
        <source>This text is too long to be drawn. Its source is shown.</source>
        <translation>Este texto es demasiado largo para mostrarlo con formato. Se muestra el texto fuente.</translation>
    </message>
    <message>
        <source>They differ too much to be compared line by line; what differs is shown as replaced.</source>
        <translation>Se diferencian demasiado para compararlos línea a línea; las diferencias se muestran como reemplazos.</translation>
    </message>
    <message numerus="yes">
        <source>The first {count} rows are shown.</source>
        <comment>The first {count} row is shown.</comment>
        <translation>
            <numerusform>Se muestra la primera fila.</numerusform>
            <numerusform>Se muestran las primeras {count} filas.</numerusform>
        </translation>
    </message>
    <message>
        <source>{added}, {removed}.</source>
        <translation>{added}, {removed}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added</source>
        <comment>{count} line added</comment>
        <translation>
            <numerusform>{count} línea añadida</numerusform>
            <numerusform>{count} líneas añadidas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} lines removed</source>
        <comment>{count} line removed</comment>
        <translation>
            <numerusform>{count} línea quitada</numerusform>
            <numerusform>{count} líneas quitadas</numerusform>
        </translation>
    </message>
    <message>
        <source>No line differs.</source>
        <translation>Ninguna línea es diferente.</translation>
    </message>
    <message>
        <source>in a version of the thread that is not shown</source>
        <translation>en una versión de la conversación que no se muestra</translation>
    </message>
    <message>
        <source>This text is too large to be edited here. Save it, edit it elsewhere, and attach the result.</source>
        <translation>Este texto es demasiado grande para editarlo aquí. Guárdalo, edítalo en otro lugar y adjunta el resultado.</translation>
    </message>
    <message>
        <source>Your unfinished edit is back</source>
        <translation>Tu edición sin terminar ha vuelto</translation>
    </message>
    <message>
        <source>Your changes were left out</source>
        <translation>Tus cambios se omitieron</translation>
    </message>
    <message>
        <source>Edit again</source>
        <translation>Editar de nuevo</translation>
    </message>
    <message>
        <source>Your edit of {name} is a version of it</source>
        <translation>Tu edición de {name} es una versión suya</translation>
    </message>
    <message>
        <source>Artifacts are stored on disk; a temporary chat is not.</source>
        <translation>Los artefactos se guardan en el disco; un chat temporal no.</translation>
    </message>
    <message>
        <source>Change the attached file {name} and answer with all of it in one code block.</source>
        <translation>Cambia el archivo adjunto {name} y responde con el archivo completo en un bloque de código.</translation>
    </message>
    <message>
        <source>Removed from the list</source>
        <translation>Quitado de la lista</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Deshacer</translation>
    </message>
    <message>
        <source>Answer with another model</source>
        <translation>Responder con otro modelo</translation>
    </message>
    <message>
        <source>Pasted image.png</source>
        <translation>Imagen pegada.png</translation>
    </message>
    <message>
        <source>Files are stored on disk; a temporary chat is not.</source>
        <translation>Los archivos se guardan en el disco; un chat temporal no.</translation>
    </message>
    <message>
        <source>It is right</source>
        <translation>Es correcto</translation>
    </message>
    <message>
        <source>Is “{sample}” in “{name}” read right?</source>
        <translation>¿Se lee bien «{sample}» en «{name}»?</translation>
    </message>
    <message>
        <source>“{name}” is read as {encoding}: “{sample}”.</source>
        <translation>«{name}» se lee como {encoding}: «{sample}».</translation>
    </message>
    <message>
        <source>Of “{name}” only the name is sent.</source>
        <translation>De «{name}» solo se envía el nombre.</translation>
    </message>
    <message>
        <source>“{name}”: {problem}</source>
        <translation>«{name}»: {problem}</translation>
    </message>
    <message>
        <source>Read otherwise…</source>
        <translation>Leer de otra forma…</translation>
    </message>
    <message>
        <source>Not sent yet: say above your text whether “{name}” is read right.</source>
        <translation>Aún no se ha enviado: indica encima de tu texto si «{name}» se lee bien.</translation>
    </message>
    <message>
        <source>The picture in the clipboard cannot be read.</source>
        <translation>No se puede leer la imagen del portapapeles.</translation>
    </message>
    <message>
        <source>This thread has no message yet.</source>
        <translation>Esta conversación aún no tiene mensajes.</translation>
    </message>
    <message>
        <source>Nothing was written on that day or later.</source>
        <translation>No se escribió nada ese día ni después.</translation>
    </message>
    <message>
        <source>What goes to the trash can be brought back, at once with Ctrl+Z and later from the inspector&apos;s tree.</source>
        <translation>Lo que va a la papelera se puede recuperar: al momento con Ctrl+Z y más tarde desde el árbol del inspector.</translation>
    </message>
    <message>
        <source>Delete this message only, or also those after it?</source>
        <translation>¿Eliminar solo este mensaje, o también los posteriores?</translation>
    </message>
    <message>
        <source>Do not ask again</source>
        <translation>No volver a preguntar</translation>
    </message>
    <message>
        <source>Settings can make ChatDesk ask again.</source>
        <translation>En los ajustes se puede hacer que ChatDesk vuelva a preguntar.</translation>
    </message>
    <message>
        <source>With later messages</source>
        <translation>También los posteriores</translation>
    </message>
    <message>
        <source>This message only</source>
        <translation>Solo este mensaje</translation>
    </message>
    <message>
        <source>Deleted messages</source>
        <translation>Mensajes eliminados</translation>
    </message>
    <message>
        <source>Restored messages go back to their place.</source>
        <translation>Los mensajes restaurados vuelven a su sitio.</translation>
    </message>
    <message>
        <source>No message is in the trash.</source>
        <translation>No hay mensajes en la papelera.</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Restaurar</translation>
    </message>
    <message>
        <source>Show the thread</source>
        <translation>Mostrar la conversación</translation>
    </message>
    <message>
        <source>{day} {time}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>Without text</source>
        <translation>Sin texto</translation>
    </message>
    <message>
        <source>Question in “{title}”, deleted {when}</source>
        <translation>Pregunta en «{title}», eliminada {when}</translation>
    </message>
    <message>
        <source>Answer in “{title}”, deleted {when}</source>
        <translation>Respuesta en «{title}», eliminada {when}</translation>
    </message>
    <message>
        <source>Question and {more} more in “{title}”, deleted {when}</source>
        <translation>Pregunta y {more} más en «{title}», eliminadas {when}</translation>
    </message>
    <message>
        <source>Answer and {more} more in “{title}”, deleted {when}</source>
        <translation>Respuesta y {more} más en «{title}», eliminadas {when}</translation>
    </message>
    <message>
        <source>Message restored</source>
        <translation>Mensaje restaurado</translation>
    </message>
    <message>
        <source>It leaves the server, and every computer when it syncs next. This cannot be undone. What stays: backups of the server and of computers until they are replaced, private copies of members who left, and what somebody copied or exported.</source>
        <translation>Desaparece del servidor, y de cada dispositivo la próxima vez que se sincronice. No se puede deshacer. Lo que queda: las copias de seguridad del servidor y de los dispositivos hasta que se reemplacen, las copias privadas de los miembros que se fueron y lo que alguien copió o exportó.</translation>
    </message>
    <message>
        <source>Erase this thread for everyone?</source>
        <translation>¿Borrar esta conversación para todos?</translation>
    </message>
    <message>
        <source>Erase this message for everyone?</source>
        <translation>¿Borrar este mensaje para todos?</translation>
    </message>
    <message>
        <source>Erase for everyone</source>
        <translation>Borrar para todos</translation>
    </message>
    <message>
        <source>It is in the trash, and is erased as soon as the server has taken it.</source>
        <translation>Está en la papelera y se borra en cuanto el servidor lo acepte.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages go, with attached files and the summaries that mention them.</source>
        <comment>{count} message goes, with attached files and the summaries that mention them.</comment>
        <translation>
            <numerusform>Se borra {count} mensaje, con sus archivos adjuntos y los resúmenes que lo mencionan.</numerusform>
            <numerusform>Se borran {count} mensajes, con sus archivos adjuntos y los resúmenes que los mencionan.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages of others stay in the trash: only owners and admins of the project erase what others wrote.</source>
        <comment>{count} message of others stays in the trash: only owners and admins of the project erase what others wrote.</comment>
        <translation>
            <numerusform>{count} mensaje de otros queda en la papelera: solo los propietarios y administradores del proyecto pueden borrar lo que otros escribieron.</numerusform>
            <numerusform>{count} mensajes de otros quedan en la papelera: solo los propietarios y administradores del proyecto pueden borrar lo que otros escribieron.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is not sent, because this model cannot see images.</source>
        <translation>No se envía porque este modelo no admite imágenes.</translation>
    </message>
    <message>
        <source>It is empty.</source>
        <translation>Está vacío.</translation>
    </message>
    <message>
        <source>Its middle is left out, because it does not fit.</source>
        <translation>Se omite la parte central porque no cabe.</translation>
    </message>
    <message>
        <source>this model</source>
        <translation>este modelo</translation>
    </message>
    <message numerus="yes">
        <source>{count} images are not sent, because {model} cannot see images: only their names are.</source>
        <comment>The image is not sent, because {model} cannot see images: only its name is.</comment>
        <translation>
            <numerusform>La imagen no se envía porque {model} no admite imágenes; solo se envía su nombre.</numerusform>
            <numerusform>{count} imágenes no se envían porque {model} no admite imágenes; solo se envían sus nombres.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {model} sees images. {count} are sent.</source>
        <comment>It is not known whether {model} sees images. The image is sent.</comment>
        <translation>
            <numerusform>No se sabe si {model} admite imágenes. La imagen se envía.</numerusform>
            <numerusform>No se sabe si {model} admite imágenes. Se envían {count}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The middle of {count} files is left out, because they do not fit.</source>
        <comment>The middle of “{name}” is left out, because it does not fit.</comment>
        <translation>
            <numerusform>Se omite la parte central de «{name}» porque no cabe.</numerusform>
            <numerusform>Se omite la parte central de {count} archivos porque no caben.</numerusform>
        </translation>
    </message>
    <message>
        <source>The size of the context of {model} is not known: {count} tokens are assumed.</source>
        <translation>No se conoce el tamaño del contexto de {model}: se suponen {count} tokens.</translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {models} see images; they are sent.</source>
        <comment>It is not known whether {models} sees images; they are sent.</comment>
        <translation>
            <numerusform>No se sabe si {models} admite imágenes; se envían.</numerusform>
            <numerusform>No se sabe si {models} admiten imágenes; se envían.</numerusform>
        </translation>
    </message>
    <message>
        <source>Do not send images</source>
        <translation>No enviar imágenes</translation>
    </message>
    <message>
        <source>Ask {model} instead</source>
        <translation>Preguntar a {model}</translation>
    </message>
    <message numerus="yes">
        <source>They can</source>
        <comment>It can</comment>
        <translation>
            <numerusform>Las admite</numerusform>
            <numerusform>Las admiten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{models} cannot see images: only their names are sent.</source>
        <comment>{models} cannot see images: only their names are sent.</comment>
        <translation>
            <numerusform>{models} no admite imágenes: solo se envían sus nombres.</numerusform>
            <numerusform>{models} no admiten imágenes: solo se envían sus nombres.</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to a date</source>
        <translation>Ir a una fecha</translation>
    </message>
    <message>
        <source>From {first} to {last}</source>
        <translation>Del {first} al {last}</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>Fecha</translation>
    </message>
    <message>
        <source>Calendar</source>
        <translation>Calendario</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>Días</translation>
    </message>
    <message>
        <source>Previous month</source>
        <translation>Mes anterior</translation>
    </message>
    <message>
        <source>Next month</source>
        <translation>Mes siguiente</translation>
    </message>
    <message>
        <source>Send or cancel what you are editing first.</source>
        <translation>Envía o cancela primero lo que estás editando.</translation>
    </message>
    <message>
        <source>Added as a note</source>
        <translation>Añadido como nota</translation>
    </message>
    <message>
        <source>Nothing was changed, so the answer stays as it is.</source>
        <translation>No se cambió nada, así que la respuesta queda como está.</translation>
    </message>
    <message>
        <source>Stop comparing</source>
        <translation>Dejar de comparar</translation>
    </message>
    <message>
        <source>A temporary chat cannot have branches.</source>
        <translation>Un chat temporal no puede tener ramas.</translation>
    </message>
    <message>
        <source>branch</source>
        <translation>ramificar</translation>
    </message>
    <message>
        <source>This is a branch. The thread it came from stays as it is.</source>
        <translation>Esto es una rama. La conversación de la que viene queda como está.</translation>
    </message>
    <message>
        <source>Sending makes a version that is marked as yours.</source>
        <translation>Al enviar se crea una versión marcada como tuya.</translation>
    </message>
    <message>
        <source>Editing an answer.</source>
        <translation>Editando una respuesta.</translation>
    </message>
    <message>
        <source>Editing a question.</source>
        <translation>Editando una pregunta.</translation>
    </message>
    <message>
        <source>Editing your last question. Sending makes a new version.</source>
        <translation>Editando tu última pregunta. Al enviar se crea una versión nueva.</translation>
    </message>
    <message>
        <source>leave the edit</source>
        <translation>salir de la edición</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Then it can be edited.</source>
        <translation>Espera la respuesta o pulsa Esc para detenerla. Después podrás editarla.</translation>
    </message>
    <message numerus="yes">
        <source>{count} later messages stay in version {version}.</source>
        <comment>{count} later message stays in version {version}.</comment>
        <translation>
            <numerusform>{count} mensaje posterior queda en la versión {version}.</numerusform>
            <numerusform>{count} mensajes posteriores quedan en la versión {version}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Comparing {count} models</source>
        <comment>Comparing {count} model</comment>
        <translation>
            <numerusform>Comparando {count} modelo</numerusform>
            <numerusform>Comparando {count} modelos</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} answers this question.</source>
        <translation>{name} responde a esta pregunta.</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>Temperatura</translation>
    </message>
    <message>
        <source>Low is steady, high is varied.</source>
        <translation>Baja: respuestas estables; alta: respuestas variadas.</translation>
    </message>
    <message>
        <source>How many of the likely words are considered.</source>
        <translation>Cuántas de las palabras probables se tienen en cuenta.</translation>
    </message>
    <message>
        <source>In tokens. This much of the context is kept free.</source>
        <translation>En tokens. Esta parte del contexto se deja libre.</translation>
    </message>
    <message>
        <source>Reasoning effort</source>
        <translation>Esfuerzo de razonamiento</translation>
    </message>
    <message>
        <source>How long the model thinks before it answers.</source>
        <translation>Cuánto piensa el modelo antes de responder.</translation>
    </message>
    <message>
        <source>Stop words</source>
        <translation>Palabras de parada</translation>
    </message>
    <message>
        <source>The answer ends before any of these. One a line, at most four.</source>
        <translation>La respuesta termina antes de cualquiera de estas. Una por línea, cuatro como máximo.</translation>
    </message>
    <message>
        <source>Minimal</source>
        <translation>Mínimo</translation>
    </message>
    <message>
        <source>Low</source>
        <translation>Bajo</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>Medio</translation>
    </message>
    <message>
        <source>High</source>
        <translation>Alto</translation>
    </message>
    <message numerus="yes">
        <source>{count} parameters</source>
        <comment>{count} parameter</comment>
        <translation>
            <numerusform>{count} parámetro</numerusform>
            <numerusform>{count} parámetros</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} {value}</source>
        <translation>{name} {value}</translation>
    </message>
    <message>
        <source>Empty means: {value}.</source>
        <translation>Si está vacío: {value}.</translation>
    </message>
    <message>
        <source>Same as the project: {value}</source>
        <translation>Como el proyecto: {value}</translation>
    </message>
    <message>
        <source>Up to {number}</source>
        <translation>Hasta {number}</translation>
    </message>
    <message>
        <source>Model&apos;s default</source>
        <translation>El del modelo</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Guardar</translation>
    </message>
    <message>
        <source>Used whenever this assistant answers; what is empty follows the thread.</source>
        <translation>Se usan cuando responde este asistente; lo vacío se toma de la conversación.</translation>
    </message>
    <message>
        <source>Empties every field, so that the project&apos;s values apply.</source>
        <translation>Vacía todos los campos, para que valgan los del proyecto.</translation>
    </message>
    <message>
        <source>Empties every field, so that the model&apos;s own values apply.</source>
        <translation>Vacía todos los campos, para que valgan los del modelo.</translation>
    </message>
    <message>
        <source>{title} must be a whole number, such as {example}.</source>
        <translation>{title} debe ser un número entero, como {example}.</translation>
    </message>
    <message>
        <source>{title} must be a number, such as {example}.</source>
        <translation>{title} debe ser un número, como {example}.</translation>
    </message>
    <message>
        <source>Parameters of this thread</source>
        <translation>Parámetros de esta conversación</translation>
    </message>
    <message>
        <source>Parameters of the project {name}</source>
        <translation>Parámetros del proyecto {name}</translation>
    </message>
    <message>
        <source>Parameters of {name}</source>
        <translation>Parámetros de {name}</translation>
    </message>
    <message>
        <source>Parameters of the assistant</source>
        <translation>Parámetros del asistente</translation>
    </message>
    <message>
        <source>The model</source>
        <translation>El modelo</translation>
    </message>
    <message>
        <source>Used from the next answer on.</source>
        <translation>Se usan desde la próxima respuesta.</translation>
    </message>
    <message>
        <source>Used in threads that have none of their own.</source>
        <translation>Se usan en conversaciones que no tienen los suyos.</translation>
    </message>
    <message>
        <source>{others} or {last}</source>
        <translation>{others} o {last}</translation>
    </message>
    <message>
        <source>{model} has no {parameters}.</source>
        <translation>{model} no tiene {parameters}.</translation>
    </message>
    <message>
        <source>Parameters: {parameters}</source>
        <translation>Parámetros: {parameters}</translation>
    </message>
    <message>
        <source>change the parameters</source>
        <translation>cambiar los parámetros</translation>
    </message>
    <message>
        <source>Saved. The next answer is made with these parameters.</source>
        <translation>Guardado. La próxima respuesta usará estos parámetros.</translation>
    </message>
    <message>
        <source>Saved for all threads of the project that have none of their own.</source>
        <translation>Guardado para todas las conversaciones del proyecto que no tienen los suyos.</translation>
    </message>
    <message>
        <source>Send it there</source>
        <translation>Enviarla allí</translation>
    </message>
    <message>
        <source>Keep the temporary chat?</source>
        <translation>¿Conservar el chat temporal?</translation>
    </message>
    <message>
        <source>Nothing of it is stored. Keep it as a thread like any other, or let it go for good.</source>
        <translation>No se guarda nada de él. Consérvalo como una conversación normal, o deja que desaparezca.</translation>
    </message>
    <message>
        <source>Do not keep</source>
        <translation>No conservar</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Conservar</translation>
    </message>
    <message>
        <source>Keep and go on</source>
        <translation>Conservar y seguir</translation>
    </message>
    <message>
        <source>The chat is kept as soon as the answer is written.</source>
        <translation>El chat se conservará en cuanto la respuesta esté escrita.</translation>
    </message>
    <message>
        <source>Kept. It is a thread like any other now.</source>
        <translation>Conservado. Ahora es una conversación normal.</translation>
    </message>
    <message>
        <source>Temporary chat</source>
        <translation>Chat temporal</translation>
    </message>
    <message>
        <source>Go to the temporary chat</source>
        <translation>Ir al chat temporal</translation>
    </message>
    <message>
        <source>Save code</source>
        <translation>Guardar código</translation>
    </message>
    <message>
        <source>Save a copy</source>
        <translation>Guardar una copia</translation>
    </message>
    <message>
        <source>Page of an answer</source>
        <translation>Página de una respuesta</translation>
    </message>
    <message>
        <source>No browser could be opened.</source>
        <translation>No se pudo abrir ningún navegador.</translation>
    </message>
    <message>
        <source>Choose a browser in the settings of your system, or save the page as a file.</source>
        <translation>Elige un navegador en los ajustes de tu sistema, o guarda la página como archivo.</translation>
    </message>
    <message>
        <source>Opened in your browser</source>
        <translation>Abierta en tu navegador</translation>
    </message>
    <message>
        <source>Saved to {name}</source>
        <translation>Guardado en {name}</translation>
    </message>
    <message>
        <source>The message is unchanged.</source>
        <translation>El mensaje no ha cambiado.</translation>
    </message>
    <message>
        <source>Undone</source>
        <translation>Deshecho</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Rehacer</translation>
    </message>
    <message>
        <source>Redo</source>
        <comment>a step</comment>
        <translation>Rehacer</translation>
    </message>
    <message>
        <source>This cannot be undone: {label}.</source>
        <translation>Esto no se puede deshacer: {label}.</translation>
    </message>
    <message>
        <source>{words} Before it: {older}, which was left as it is.</source>
        <translation>{words} Antes: {older}, que se dejó como está.</translation>
    </message>
    <message>
        <source>Undo that, too</source>
        <translation>Deshacer eso también</translation>
    </message>
    <message>
        <source>Redone</source>
        <translation>Rehecho</translation>
    </message>
    <message>
        <source>{what} in “{title}”: {label}</source>
        <translation>{what} en «{title}»: {label}</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages moved to the trash</source>
        <comment>Message moved to the trash</comment>
        <translation>
            <numerusform>Mensaje movido a la papelera</numerusform>
            <numerusform>{count} mensajes movidos a la papelera</numerusform>
        </translation>
    </message>
    <message>
        <source>your question</source>
        <translation>tu pregunta</translation>
    </message>
    <message>
        <source>your draft</source>
        <translation>tu borrador</translation>
    </message>
    <message>
        <source>your artifact</source>
        <translation>tu artefacto</translation>
    </message>
    <message numerus="yes">
        <source>{names} are not saved yet, but kept here. ChatDesk tries again.</source>
        <comment>{names} is not saved yet, but kept here. ChatDesk tries again.</comment>
        <translation>
            <numerusform>Aún sin guardar, pero conservado aquí: {names}. ChatDesk lo intenta de nuevo.</numerusform>
            <numerusform>Aún sin guardar, pero conservados aquí: {names}. ChatDesk lo intenta de nuevo.</numerusform>
        </translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by you</source>
        <translation>Versión {number} de {count}, editada por ti</translation>
    </message>
    <message>
        <source>Version {number} of {count}</source>
        <translation>Versión {number} de {count}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by {name}</source>
        <translation>Versión {number} de {count}, editada por {name}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, by {name}</source>
        <translation>Versión {number} de {count}, de {name}</translation>
    </message>
    <message>
        <source>Sent when the answer is complete:</source>
        <translation>Se enviará cuando la respuesta esté completa:</translation>
    </message>
    <message>
        <source>Not sent: the answer before was not completed. Send it now, or edit it.</source>
        <translation>Sin enviar: la respuesta anterior no se completó. Envíala ahora o edítala.</translation>
    </message>
    <message>
        <source>There is only one model yet: add another in Settings</source>
        <translation>Solo hay un modelo: añade otro en Ajustes</translation>
    </message>
    <message>
        <source>Kept. The other answers stay as versions.</source>
        <translation>Conservada. Las otras respuestas quedan como versiones.</translation>
    </message>
    <message>
        <source>Compare models</source>
        <translation>Comparar modelos</translation>
    </message>
    <message>
        <source>Search models</source>
        <translation>Buscar modelos</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Comparar</translation>
    </message>
    <message>
        <source>Your questions in this thread go to {fewest} to {most} models at once, and each model costs what it costs alone. You keep the answer you like.</source>
        <translation>Tus preguntas en esta conversación se envían a varios modelos a la vez (de {fewest} a {most}), y cada modelo cuesta lo mismo que por separado. Te quedas con la respuesta que te guste.</translation>
    </message>
    <message>
        <source>All passages of the project&apos;s files, and later what changes in them and each question, go to {provider}.</source>
        <translation>Todos los fragmentos de los archivos del proyecto, y después lo que cambie en ellos y cada pregunta, se envían a {provider}.</translation>
    </message>
    <message>
        <source>It is a server on this computer.</source>
        <translation>Es un servidor de este dispositivo.</translation>
    </message>
    <message>
        <source>They leave this computer.</source>
        <translation>Salen de este dispositivo.</translation>
    </message>
    <message>
        <source>Now that is {texts}, about {tokens} tokens, in {requests}.</source>
        <translation>Ahora son {texts}, unos {tokens} tokens, en {requests}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages</source>
        <comment>{count} passage</comment>
        <translation>
            <numerusform>{count} fragmento</numerusform>
            <numerusform>{count} fragmentos</numerusform>
        </translation>
    </message>
    <message>
        <source>The price of {model} is not known.</source>
        <translation>No se conoce el precio de {model}.</translation>
    </message>
    <message>
        <source>That costs about ${dollars}.</source>
        <translation>Cuesta unos ${dollars}.</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk</source>
        <translation>los vectores que trae ChatDesk</translation>
    </message>
    <message>
        <source>Found by meaning with {name}.</source>
        <translation>Búsqueda por significado: {name}.</translation>
    </message>
    <message>
        <source>{done} of {total} passages have vectors of {name}, which answers once all have.</source>
        <translation>{done} de {total} fragmentos tienen vectores de {name}, que responderá cuando los tengan todos.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages wait for it.</source>
        <comment>{count} passage waits for it.</comment>
        <translation>
            <numerusform>{count} fragmento lo espera.</numerusform>
            <numerusform>{count} fragmentos lo esperan.</numerusform>
        </translation>
    </message>
    <message>
        <source>The last question was compared by the vectors that come with ChatDesk: {reason}</source>
        <translation>La última pregunta se comparó con los vectores que trae ChatDesk: {reason}</translation>
    </message>
    <message>
        <source>{model} of {provider}</source>
        <translation>{model} de {provider}</translation>
    </message>
    <message>
        <source>An answer is ready</source>
        <translation>Hay una respuesta lista</translation>
    </message>
    <message>
        <source>An answer failed</source>
        <translation>Una respuesta falló</translation>
    </message>
    <message>
        <source>{server_name} waits for your approval</source>
        <translation>{server_name} espera tu aprobación</translation>
    </message>
    <message>
        <source>ChatDesk cannot be started at login from here.</source>
        <translation>Desde aquí no se puede hacer que ChatDesk se abra al iniciar sesión.</translation>
    </message>
    <message>
        <source>Add it to the programs that your system starts at login.</source>
        <translation>Añádelo a los programas que tu sistema abre al iniciar sesión.</translation>
    </message>
    <message>
        <source>The file for starting at login could not be changed: {strerror}.</source>
        <translation>No se pudo cambiar el archivo que abre ChatDesk al iniciar sesión: {strerror}.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Abrir</translation>
    </message>
    <message>
        <source>They show the quick window in whatever program you are.</source>
        <translation>Muestran la ventana rápida desde cualquier programa.</translation>
    </message>
    <message>
        <source>The environment variable {name} decides this.</source>
        <translation>Lo decide la variable de entorno {name}.</translation>
    </message>
    <message>
        <source>Keys for a quick question</source>
        <translation>Teclas para una pregunta rápida</translation>
    </message>
    <message>
        <source>Command: {command}</source>
        <translation>Comando: {command}</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>Copiar el comando</translation>
    </message>
    <message>
        <source>Asking the desktop for the keys. It may show you a question.</source>
        <translation>Pidiendo las teclas al escritorio. Quizá te muestre una pregunta.</translation>
    </message>
    <message>
        <source>The desktop shows it at: {keys}.</source>
        <translation>El escritorio las muestra así: {keys}.</translation>
    </message>
    <message>
        <source>The keys work.</source>
        <translation>Las teclas funcionan.</translation>
    </message>
    <message>
        <source>The desktop did not give ChatDesk these keys. Try again, or bind this command to keys in your desktop&apos;s settings:</source>
        <translation>El escritorio no concedió estas teclas a ChatDesk. Inténtalo de nuevo, o asigna teclas a este comando en los ajustes de tu escritorio:</translation>
    </message>
    <message>
        <source>The desktop has no name for {keys}. Choose other keys, or bind this command in your desktop&apos;s settings:</source>
        <translation>El escritorio no tiene nombre para {keys}. Elige otras teclas, o asigna teclas a este comando en los ajustes de tu escritorio:</translation>
    </message>
    <message>
        <source>This desktop gives no keys to programs. Bind this command to keys in your desktop&apos;s settings:</source>
        <translation>Este escritorio no concede teclas a los programas. Asigna teclas a este comando en los ajustes de tu escritorio:</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers being written</source>
        <comment>{count} answer being written</comment>
        <translation>
            <numerusform>{count} respuesta en curso</numerusform>
            <numerusform>{count} respuestas en curso</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} unread messages</source>
        <comment>{count} unread message</comment>
        <translation>
            <numerusform>{count} mensaje sin leer</numerusform>
            <numerusform>{count} mensajes sin leer</numerusform>
        </translation>
    </message>
    <message>
        <source>Open ChatDesk</source>
        <translation>Abrir ChatDesk</translation>
    </message>
    <message>
        <source>Quit ChatDesk</source>
        <translation>Salir de ChatDesk</translation>
    </message>
    <message>
        <source>The summary is out of date and not sent. Make it again to have it sent.</source>
        <translation>El resumen está desactualizado y no se envía. Vuelve a hacerlo para que se envíe.</translation>
    </message>
    <message>
        <source>summary out of date</source>
        <translation>resumen desactualizado</translation>
    </message>
    <message numerus="yes">
        <source>≈ {count} tokens</source>
        <comment>≈ {count} token</comment>
        <translation>
            <numerusform>≈ {count} token</numerusform>
            <numerusform>≈ {count} tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>About {used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>Se usan unos {used} de {window} tokens; {reserved} se reservan para la respuesta.</translation>
    </message>
    <message>
        <source>{used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>Se usan {used} de {window} tokens; {reserved} se reservan para la respuesta.</translation>
    </message>
    <message>
        <source>Your message alone does not fit: shorten it, attach it, or choose a larger model.</source>
        <translation>Tu mensaje no cabe ni solo: acórtalo, adjúntalo o elige un modelo con una ventana mayor.</translation>
    </message>
    <message numerus="yes">
        <source>It is full: {count} older messages stay behind because of what you are writing.</source>
        <comment>It is full: {count} older message stays behind because of what you are writing.</comment>
        <translation>
            <numerusform>Está lleno: {count} mensaje antiguo queda fuera por lo que estás escribiendo.</numerusform>
            <numerusform>Está lleno: {count} mensajes antiguos quedan fuera por lo que estás escribiendo.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is full: the oldest messages stay behind when you send.</source>
        <translation>Está lleno: los mensajes más antiguos quedan fuera al enviar.</translation>
    </message>
    <message>
        <source>{free} tokens are free before older messages stay behind.</source>
        <translation>Quedan {free} tokens libres antes de que queden fuera mensajes antiguos.</translation>
    </message>
    <message>
        <source>The count is an estimate for this model.</source>
        <translation>El recuento es una estimación para este modelo.</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Contexto</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>Resumen</translation>
    </message>
    <message>
        <source>Usage</source>
        <translation>Uso</translation>
    </message>
    <message>
        <source>Tree</source>
        <translation>Árbol</translation>
    </message>
    <message>
        <source>Questions</source>
        <translation>Preguntas</translation>
    </message>
    <message>
        <source>Artifacts</source>
        <translation>Artefactos</translation>
    </message>
    <message>
        <source>Pinned: it goes with every question of this thread</source>
        <translation>Fijado: acompaña cada pregunta de esta conversación</translation>
    </message>
    <message>
        <source>Left out of this thread</source>
        <translation>Omitido en esta conversación</translation>
    </message>
    <message>
        <source>Sent where it fits the question</source>
        <translation>Se envía si corresponde a la pregunta</translation>
    </message>
    <message>
        <source>Hide the inspector</source>
        <translation>Ocultar el inspector</translation>
    </message>
    <message>
        <source>Show the inspector</source>
        <translation>Mostrar el inspector</translation>
    </message>
    <message>
        <source>Request copied</source>
        <translation>Petición copiada</translation>
    </message>
    <message>
        <source>The summary is being made in the background</source>
        <translation>El resumen se está haciendo en segundo plano</translation>
    </message>
    <message>
        <source>The older messages of this thread no longer fit.</source>
        <translation>Los mensajes antiguos de esta conversación ya no caben.</translation>
    </message>
    <message>
        <source>{taken} so far.</source>
        <translation>{taken} hasta ahora.</translation>
    </message>
    <message>
        <source>No price is known for {model}.</source>
        <translation>No se conoce el precio de {model}.</translation>
    </message>
    <message>
        <source>Until then only the newest messages are sent.</source>
        <translation>Hasta entonces solo se envían los mensajes más recientes.</translation>
    </message>
    <message numerus="yes">
        <source>Summarising the older messages: {requests} of about {count} requests, {spent}.</source>
        <comment>Summarising the older messages: {requests} of about {count} request, {spent}.</comment>
        <translation>
            <numerusform>Resumiendo los mensajes antiguos: {requests} de {count} petición aproximadamente, {spent}.</numerusform>
            <numerusform>Resumiendo los mensajes antiguos: {requests} de unas {count} peticiones, {spent}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Older messages summarised: {taken}</source>
        <translation>Mensajes antiguos resumidos: {taken}</translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens.</comment>
        <translation>
            <numerusform>Resumirlos con {model} lleva {count} petición y unos {tokens} tokens.</numerusform>
            <numerusform>Resumirlos con {model} lleva unas {count} peticiones y {tokens} tokens.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, at no cost.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, at no cost.</comment>
        <translation>
            <numerusform>Resumirlos con {model} lleva {count} petición y unos {tokens} tokens, sin coste.</numerusform>
            <numerusform>Resumirlos con {model} lleva unas {count} peticiones y {tokens} tokens, sin coste.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, about {cost}.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, about {cost}.</comment>
        <translation>
            <numerusform>Resumirlos con {model} lleva {count} petición y unos {tokens} tokens, unos {cost}.</numerusform>
            <numerusform>Resumirlos con {model} lleva unas {count} peticiones y {tokens} tokens, unos {cost}.</numerusform>
        </translation>
    </message>
    <message>
        <source>the server&apos;s own model</source>
        <translation>el modelo del servidor</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests, {spent}</source>
        <comment>{count} request, {spent}</comment>
        <translation>
            <numerusform>{count} petición, {spent}</numerusform>
            <numerusform>{count} peticiones, {spent}</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} tokens, {cost}</source>
        <translation>{tokens} tokens, {cost}</translation>
    </message>
    <message>
        <source>{tokens} tokens</source>
        <translation>{tokens} tokens</translation>
    </message>
    <message>
        <source>Summarise</source>
        <translation>Resumir</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Ahora no</translation>
    </message>
    <message>
        <source>Pinned into the context</source>
        <translation>Fijado en el contexto</translation>
    </message>
    <message>
        <source>Excluded from the context</source>
        <translation>Excluido del contexto</translation>
    </message>
    <message>
        <source>Sent as it fits</source>
        <translation>Se envía según quepa</translation>
    </message>
    <message>
        <source>The context starts here</source>
        <translation>El contexto empieza aquí</translation>
    </message>
    <message>
        <source>The context starts at the beginning</source>
        <translation>El contexto empieza desde el principio</translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation>Fijada</translation>
    </message>
    <message>
        <source>No longer pinned</source>
        <translation>Ya no está fijada</translation>
    </message>
    <message>
        <source>Archived</source>
        <translation>Archivada</translation>
    </message>
    <message>
        <source>Out of the archive</source>
        <translation>Desarchivada</translation>
    </message>
    <message>
        <source>Moved to the trash</source>
        <translation>Movida a la papelera</translation>
    </message>
    <message>
        <source>Restored</source>
        <translation>Restaurada</translation>
    </message>
    <message>
        <source>Moved to {name}</source>
        <translation>Movida a {name}</translation>
    </message>
    <message>
        <source>Tags changed</source>
        <translation>Etiquetas cambiadas</translation>
    </message>
    <message>
        <source>1 thread</source>
        <translation>1 conversación</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good?</source>
        <comment>Delete this thread for good?</comment>
        <translation>
            <numerusform>¿Eliminar definitivamente esta conversación?</numerusform>
            <numerusform>¿Eliminar definitivamente {count} conversaciones?</numerusform>
        </translation>
    </message>
    <message>
        <source>{title}: all messages are removed. This cannot be undone.</source>
        <translation>{title}: se quitan todos los mensajes. No se puede deshacer.</translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation>Eliminar definitivamente</translation>
    </message>
    <message>
        <source>The trash is empty.</source>
        <translation>La papelera está vacía.</translation>
    </message>
    <message>
        <source>Empty the trash?</source>
        <translation>¿Vaciar la papelera?</translation>
    </message>
    <message>
        <source>Empty the trash</source>
        <translation>Vaciar la papelera</translation>
    </message>
    <message>
        <source>delete for good</source>
        <translation>eliminar definitivamente</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are gone.</source>
        <comment>{count} thread is gone.</comment>
        <translation>
            <numerusform>Se eliminó {count} conversación.</numerusform>
            <numerusform>Se eliminaron {count} conversaciones.</numerusform>
        </translation>
    </message>
    <message>
        <source>rename tag</source>
        <translation>renombrar etiqueta</translation>
    </message>
    <message>
        <source>The tag is called {name} now</source>
        <translation>La etiqueta ahora se llama {name}</translation>
    </message>
    <message>
        <source>The tag was deleted; its threads stay</source>
        <translation>La etiqueta se eliminó; sus conversaciones se quedan</translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin thread</comment>
        <translation>
            <numerusform>Fijar conversación</numerusform>
            <numerusform>Fijar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin thread</comment>
        <translation>
            <numerusform>Desfijar conversación</numerusform>
            <numerusform>Desfijar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive thread</comment>
        <translation>
            <numerusform>Archivar conversación</numerusform>
            <numerusform>Archivar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message>
        <source>Take out of the archive</source>
        <translation>Desarchivar</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete thread for good…</comment>
        <translation>
            <numerusform>Eliminar definitivamente la conversación…</numerusform>
            <numerusform>Eliminar definitivamente {count} conversaciones…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete thread</comment>
        <translation>
            <numerusform>Eliminar conversación</numerusform>
            <numerusform>Eliminar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort threads by last activity</source>
        <translation>Ordenar conversaciones por última actividad</translation>
    </message>
    <message>
        <source>Sort threads by name</source>
        <translation>Ordenar conversaciones por nombre</translation>
    </message>
    <message>
        <source>Group threads by date</source>
        <translation>Agrupar conversaciones por fecha</translation>
    </message>
    <message>
        <source>Group threads by project</source>
        <translation>Agrupar conversaciones por proyecto</translation>
    </message>
    <message>
        <source>Sorted by name</source>
        <translation>Ordenado por nombre</translation>
    </message>
    <message>
        <source>Sorted by last activity</source>
        <translation>Ordenado por última actividad</translation>
    </message>
    <message>
        <source>Grouped by project</source>
        <translation>Agrupado por proyecto</translation>
    </message>
    <message>
        <source>Grouped by date</source>
        <translation>Agrupado por fecha</translation>
    </message>
    <message>
        <source>Move to a project</source>
        <translation>Mover a un proyecto</translation>
    </message>
    <message>
        <source>Move to a project: {what}</source>
        <translation>Mover a un proyecto: {what}</translation>
    </message>
    <message>
        <source>Teal</source>
        <translation>Verde azulado</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>Azul</translation>
    </message>
    <message>
        <source>Indigo</source>
        <translation>Índigo</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>Morado</translation>
    </message>
    <message>
        <source>Magenta</source>
        <translation>Magenta</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>Rojo</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>Naranja</translation>
    </message>
    <message>
        <source>Olive</source>
        <translation>Oliva</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Verde</translation>
    </message>
    <message>
        <source>Slate</source>
        <translation>Pizarra</translation>
    </message>
    <message>
        <source>The current colour</source>
        <translation>El color actual</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>Proyecto nuevo</translation>
    </message>
    <message>
        <source>Edit project</source>
        <translation>Editar proyecto</translation>
    </message>
    <message>
        <source>Name of the project</source>
        <translation>Nombre del proyecto</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Nombre</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Color</translation>
    </message>
    <message>
        <source>New threads begin with</source>
        <translation>Las conversaciones nuevas empiezan con</translation>
    </message>
    <message>
        <source>Folder of the project</source>
        <translation>Carpeta del proyecto</translation>
    </message>
    <message>
        <source>Folder on this computer, for tools (optional)</source>
        <translation>Carpeta de este dispositivo, para herramientas (opcional)</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>Crear</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>Instrucciones</translation>
    </message>
    <message>
        <source>For example: answer as an editor would, in British English.</source>
        <translation>Por ejemplo: responde como lo haría un editor, en español.</translation>
    </message>
    <message>
        <source>Instructions for its threads (optional)</source>
        <translation>Instrucciones para sus conversaciones (opcional)</translation>
    </message>
    <message>
        <source>Model that new threads begin with</source>
        <translation>Modelo con el que empiezan las conversaciones nuevas</translation>
    </message>
    <message>
        <source>The model chosen in the settings</source>
        <translation>El modelo elegido en los ajustes</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>Archivo</translation>
    </message>
    <message>
        <source>Move out of the archive</source>
        <translation>Desarchivar</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>verb</comment>
        <translation>Archivar</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Eliminar…</translation>
    </message>
    <message>
        <source>All projects</source>
        <translation>Todos los proyectos</translation>
    </message>
    <message>
        <source>Edit {name}…</source>
        <translation>Editar {name}…</translation>
    </message>
    <message>
        <source>Sharing of {name}…</source>
        <translation>Uso compartido de {name}…</translation>
    </message>
    <message>
        <source>Share {name}…</source>
        <translation>Compartir {name}…</translation>
    </message>
    <message>
        <source>In the trash</source>
        <translation>En la papelera</translation>
    </message>
    <message>
        <source>add project</source>
        <translation>añadir proyecto</translation>
    </message>
    <message>
        <source>change project</source>
        <translation>cambiar proyecto</translation>
    </message>
    <message>
        <source>The project was changed</source>
        <translation>El proyecto se cambió</translation>
    </message>
    <message>
        <source>archive project</source>
        <translation>archivar proyecto</translation>
    </message>
    <message>
        <source>unarchive project</source>
        <translation>desarchivar proyecto</translation>
    </message>
    <message>
        <source>Archived: {name}</source>
        <translation>Archivado: {name}</translation>
    </message>
    <message>
        <source>Out of the archive: {name}</source>
        <translation>Desarchivado: {name}</translation>
    </message>
    <message>
        <source>Delete the project “{name}”?</source>
        <translation>¿Eliminar el proyecto «{name}»?</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>Mover a la papelera</translation>
    </message>
    <message>
        <source>Moved to the trash: {name}</source>
        <translation>Movido a la papelera: {name}</translation>
    </message>
    <message>
        <source>The project was restored</source>
        <translation>El proyecto se restauró</translation>
    </message>
    <message>
        <source>Take project out of the archive</source>
        <translation>Desarchivar proyecto</translation>
    </message>
    <message>
        <source>Archive project</source>
        <translation>Archivar proyecto</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it ({archived} archived).</source>
        <comment>{count} thread goes to the trash with it ({archived} archived).</comment>
        <translation>
            <numerusform>{count} conversación va con él a la papelera ({archived} archivadas).</numerusform>
            <numerusform>{count} conversaciones van con él a la papelera ({archived} archivadas).</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it.</source>
        <comment>{count} thread goes to the trash with it.</comment>
        <translation>
            <numerusform>{count} conversación va con él a la papelera.</numerusform>
            <numerusform>{count} conversaciones van con él a la papelera.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All of it can be restored for {count} days.</source>
        <comment>All of it can be restored for {count} day.</comment>
        <translation>
            <numerusform>Todo se puede restaurar durante {count} día.</numerusform>
            <numerusform>Todo se puede restaurar durante {count} días.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} ({number}, made {day})</source>
        <translation>{name} ({number}, creada {day})</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads of all projects, with all messages, will be removed. This cannot be undone.</source>
        <comment>{count} thread of all projects, with all messages, will be removed. This cannot be undone.</comment>
        <translation>
            <numerusform>Se quitará {count} conversación de todos los proyectos, con todos sus mensajes. No se puede deshacer.</numerusform>
            <numerusform>Se quitarán {count} conversaciones de todos los proyectos, con todos sus mensajes. No se puede deshacer.</numerusform>
        </translation>
    </message>
    <message>
        <source>In shared projects it erases for everyone what you wrote, or all of it where you are an owner or admin. The rest is hidden on this computer only.</source>
        <translation>En los proyectos compartidos se borra para todos lo que tú escribiste, o todo si eres propietario o administrador. El resto solo se oculta en este dispositivo.</translation>
    </message>
    <message>
        <source>Tags: {what}</source>
        <translation>Etiquetas: {what}</translation>
    </message>
    <message>
        <source>New tag</source>
        <translation>Etiqueta nueva</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Renombrar</translation>
    </message>
    <message>
        <source>There are no tags yet. Put one on a thread with “Tags…” in its menu.</source>
        <translation>Aún no hay etiquetas. Pon una en una conversación con «Etiquetas…» en su menú.</translation>
    </message>
    <message>
        <source>Close the open dialog first, then open the link again. Nothing was changed.</source>
        <translation>Cierra primero el diálogo abierto y abre el enlace de nuevo. No se cambió nada.</translation>
    </message>
    <message>
        <source>The message of the link is not shown in this thread: it was deleted, or is in another version.</source>
        <translation>El mensaje del enlace no se muestra en esta conversación: se eliminó, o está en otra versión.</translation>
    </message>
    <message>
        <source>The thread of this link is not on this computer.</source>
        <translation>La conversación de este enlace no está en este dispositivo.</translation>
    </message>
    <message>
        <source>If it belongs to a project that is shared with you, wait until it is synced, then open the link again.</source>
        <translation>Si es de un proyecto compartido contigo, espera a que se sincronice y abre el enlace de nuevo.</translation>
    </message>
    <message>
        <source>A temporary chat has no link, because nothing of it is stored.</source>
        <translation>Un chat temporal no tiene enlace, porque no se guarda nada de él.</translation>
    </message>
    <message>
        <source>Link copied. It opens the thread on your computers that have it.</source>
        <translation>Enlace copiado. Abre la conversación en los dispositivos tuyos que la tengan.</translation>
    </message>
    <message>
        <source>Revoke the token “{name}”?</source>
        <translation>¿Revocar el token «{name}»?</translation>
    </message>
    <message>
        <source>Programs that use it are refused from now on, and what they are doing ends. This cannot be undone.</source>
        <translation>Los programas que lo usan se rechazan desde ahora, y lo que están haciendo se interrumpe. No se puede deshacer.</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>Revocar</translation>
    </message>
    <message>
        <source>Editors, scripts and browsers of this computer read, write and ask over HTTP, with a token of yours.</source>
        <translation>Editores, scripts y navegadores de este dispositivo leen, escriben y preguntan por HTTP, con un token tuyo.</translation>
    </message>
    <message>
        <source>Turn the service on to make tokens and to see the existing ones.</source>
        <translation>Activa el servicio para crear tokens y ver los que hay.</translation>
    </message>
    <message>
        <source>There are no tokens. Each program gets one of its own.</source>
        <translation>No hay tokens. Cada programa tiene el suyo.</translation>
    </message>
    <message>
        <source>The environment variable {fixed_by} decides this.</source>
        <translation>Lo decide la variable de entorno {fixed_by}.</translation>
    </message>
    <message>
        <source>Copy address</source>
        <translation>Copiar dirección</translation>
    </message>
    <message>
        <source>New token…</source>
        <translation>Token nuevo…</translation>
    </message>
    <message>
        <source>On, at {address}</source>
        <translation>Activado, en {address}</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Iniciando…</translation>
    </message>
    <message>
        <source>Tokens</source>
        <comment>access</comment>
        <translation>Tokens de acceso</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Tokens</translation>
    </message>
    <message>
        <source>The address is in the clipboard.</source>
        <translation>La dirección está en el portapapeles.</translation>
    </message>
    <message>
        <source>Revoke…</source>
        <translation>Revocar…</translation>
    </message>
    <message>
        <source>Revoke {name}</source>
        <translation>Revocar {name}</translation>
    </message>
    <message>
        <source>a project in the trash</source>
        <translation>un proyecto en la papelera</translation>
    </message>
    <message>
        <source>all projects</source>
        <translation>todos los proyectos</translation>
    </message>
    <message>
        <source>until {moment}</source>
        <translation>hasta {moment}</translation>
    </message>
    <message>
        <source>last used {moment}</source>
        <translation>usado por última vez {moment}</translation>
    </message>
    <message>
        <source>30 days</source>
        <translation>30 días</translation>
    </message>
    <message>
        <source>90 days</source>
        <translation>90 días</translation>
    </message>
    <message>
        <source>A year</source>
        <translation>Un año</translation>
    </message>
    <message>
        <source>Until it is revoked</source>
        <translation>Hasta que se revoque</translation>
    </message>
    <message>
        <source>New token</source>
        <translation>Token nuevo</translation>
    </message>
    <message>
        <source>What will use it</source>
        <translation>Qué lo usará</translation>
    </message>
    <message>
        <source>For example: editor</source>
        <translation>Por ejemplo: editor</translation>
    </message>
    <message>
        <source>Valid for</source>
        <translation>Validez</translation>
    </message>
    <message>
        <source>The token</source>
        <translation>El token</translation>
    </message>
    <message>
        <source>Copy the token</source>
        <translation>Copiar el token</translation>
    </message>
    <message>
        <source>Make token</source>
        <translation>Crear token</translation>
    </message>
    <message>
        <source>In these projects only</source>
        <translation>Solo en estos proyectos</translation>
    </message>
    <message>
        <source>None chosen: in all of them.</source>
        <translation>Ninguno elegido: en todos.</translation>
    </message>
    <message>
        <source>This is the token for “{name}”. It is shown only now and stored nowhere: copy it to where it is used.</source>
        <translation>Este es el token para «{name}». Solo se muestra ahora y no se guarda en ningún sitio: cópialo donde se vaya a usar.</translation>
    </message>
    <message>
        <source>It may</source>
        <translation>Puede</translation>
    </message>
    <message>
        <source>Say what will use it.</source>
        <translation>Indica qué lo usará.</translation>
    </message>
    <message>
        <source>Choose what it may do.</source>
        <translation>Elige qué puede hacer.</translation>
    </message>
    <message>
        <source>Making the token…</source>
        <translation>Creando el token…</translation>
    </message>
    <message>
        <source>The token is in the clipboard.</source>
        <translation>El token está en el portapapeles.</translation>
    </message>
    <message>
        <source>Text size {percent}%</source>
        <translation>Tamaño del texto: {percent} %</translation>
    </message>
    <message>
        <source>Assistant</source>
        <translation>Asistente</translation>
    </message>
    <message>
        <source>Assistant: {name}</source>
        <translation>Asistente: {name}</translation>
    </message>
    <message>
        <source>No assistant</source>
        <translation>Sin asistente</translation>
    </message>
    <message>
        <source>Edit assistants…</source>
        <translation>Editar asistentes…</translation>
    </message>
    <message>
        <source>choose assistant</source>
        <translation>elegir asistente</translation>
    </message>
    <message>
        <source>Assistants, files and resources</source>
        <translation>Asistentes, archivos y recursos</translation>
    </message>
    <message>
        <source>Their instructions, models, tools and files</source>
        <translation>Sus instrucciones, modelos, herramientas y archivos</translation>
    </message>
    <message>
        <source>New assistant…</source>
        <translation>Asistente nuevo…</translation>
    </message>
    <message>
        <source>A prompt with a model, tools and files of its own, asked with @</source>
        <translation>Un prompt con modelo, herramientas y archivos propios; se le pregunta con @</translation>
    </message>
    <message numerus="yes">
        <source>{count} names, arrows choose, Enter takes it, Esc closes.</source>
        <comment>{count} name, arrows choose, Enter takes it, Esc closes.</comment>
        <translation>
            <numerusform>{count} nombre, las flechas eligen, Intro lo toma, Esc cierra.</numerusform>
            <numerusform>{count} nombres, las flechas eligen, Intro toma uno, Esc cierra.</numerusform>
        </translation>
    </message>
    <message>
        <source>Files of the assistant</source>
        <translation>Archivos del asistente</translation>
    </message>
    <message>
        <source>Sparkles</source>
        <translation>Destellos</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>Cerebro</translation>
    </message>
    <message>
        <source>Light bulb</source>
        <translation>Bombilla</translation>
    </message>
    <message>
        <source>Wand</source>
        <translation>Varita</translation>
    </message>
    <message>
        <source>Pencil</source>
        <translation>Lápiz</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>Código</translation>
    </message>
    <message>
        <source>Terminal</source>
        <translation>Terminal</translation>
    </message>
    <message>
        <source>Magnifier</source>
        <translation>Lupa</translation>
    </message>
    <message>
        <source>Languages</source>
        <translation>Idiomas</translation>
    </message>
    <message>
        <source>Letter</source>
        <translation>Carta</translation>
    </message>
    <message>
        <source>Checklist</source>
        <translation>Lista de control</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>Tabla</translation>
    </message>
    <message>
        <source>Database</source>
        <translation>Base de datos</translation>
    </message>
    <message>
        <source>Palette</source>
        <translation>Paleta</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Imagen</translation>
    </message>
    <message>
        <source>Gauge</source>
        <translation>Indicador</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>Estrella</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>Persona</translation>
    </message>
    <message>
        <source>People</source>
        <translation>Personas</translation>
    </message>
    <message>
        <source>As in the thread</source>
        <translation>Como en la conversación</translation>
    </message>
    <message>
        <source>Icon</source>
        <translation>Icono</translation>
    </message>
    <message>
        <source>Model that answers</source>
        <translation>Modelo que responde</translation>
    </message>
    <message>
        <source>Find by meaning with</source>
        <translation>Buscar por significado con</translation>
    </message>
    <message>
        <source>The vectors that come with ChatDesk are made on this computer and know English best. A model for embeddings of a provider knows more languages, and gets the texts of the files.</source>
        <translation>Los vectores que trae ChatDesk se calculan en este dispositivo y conocen sobre todo el inglés. El modelo de embeddings de un proveedor conoce más idiomas y recibe el texto de los archivos.</translation>
    </message>
    <message>
        <source>Who makes the vectors</source>
        <translation>Quién calcula los vectores</translation>
    </message>
    <message>
        <source>ChatDesk, on this computer</source>
        <translation>ChatDesk, en este dispositivo</translation>
    </message>
    <message>
        <source>Model for embeddings</source>
        <translation>Modelo de embeddings</translation>
    </message>
    <message>
        <source>Vectors by</source>
        <translation>Vectores de</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modelo</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Parámetros</translation>
    </message>
    <message numerus="yes">
        <source>{count} values set</source>
        <comment>{count} value set</comment>
        <translation>
            <numerusform>{count} valor definido</numerusform>
            <numerusform>{count} valores definidos</numerusform>
        </translation>
    </message>
    <message>
        <source>{provider}, not set up here</source>
        <translation>{provider}, sin configurar aquí</translation>
    </message>
    <message>
        <source>No tools</source>
        <translation>Sin herramientas</translation>
    </message>
    <message>
        <source>Add files…</source>
        <translation>Añadir archivos…</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the key. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>Este dispositivo no tiene un llavero donde guardar la clave. Guárdala en el archivo de claves cifrado de ChatDesk; su frase de contraseña se pide una vez después de cada inicio.</translation>
    </message>
    <message>
        <source>Folder that something carries between your computers</source>
        <translation>Carpeta que algo lleva de un dispositivo a otro</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>Examinar…</translation>
    </message>
    <message>
        <source>Choose the folder</source>
        <translation>Elegir la carpeta</translation>
    </message>
    <message>
        <source>Recovery phrase</source>
        <translation>Frase de recuperación</translation>
    </message>
    <message>
        <source>I have written it down, or saved it</source>
        <translation>La he anotado o guardado</translation>
    </message>
    <message>
        <source>Copy the phrase</source>
        <translation>Copiar la frase</translation>
    </message>
    <message>
        <source>Save to print…</source>
        <translation>Guardar para imprimir…</translation>
    </message>
    <message>
        <source>Your other computers need this recovery phrase, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>Tus otros dispositivos necesitan esta frase de recuperación, y solo con ella recuperas tus chats. Quien tenga la frase y la carpeta puede leerlo todo. No se vuelve a mostrar.</translation>
    </message>
    <message>
        <source>Recovery phrase of ChatDesk for my computers: {phrase}</source>
        <translation>Frase de recuperación de ChatDesk para mis dispositivos: {phrase}</translation>
    </message>
    <message>
        <source>The phrase is in the clipboard.</source>
        <translation>La frase está en el portapapeles.</translation>
    </message>
    <message>
        <source>Save the recovery phrase</source>
        <translation>Guardar la frase de recuperación</translation>
    </message>
    <message>
        <source>ChatDesk recovery phrase.txt</source>
        <translation>Frase de recuperación de ChatDesk.txt</translation>
    </message>
    <message>
        <source>Start with this computer</source>
        <translation>Empezar con este dispositivo</translation>
    </message>
    <message>
        <source>Check the folder</source>
        <translation>Comprobar la carpeta</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Empezar</translation>
    </message>
    <message>
        <source>Writing into the folder…</source>
        <translation>Escribiendo en la carpeta…</translation>
    </message>
    <message>
        <source>Looking at the folder…</source>
        <translation>Comprobando la carpeta…</translation>
    </message>
    <message>
        <source>Join your computers</source>
        <translation>Unirse a tus dispositivos</translation>
    </message>
    <message>
        <source>Recovery phrase, as it was shown on the other computer</source>
        <translation>Frase de recuperación, tal como se mostró en el otro dispositivo</translation>
    </message>
    <message>
        <source>Look inside</source>
        <translation>Mirar dentro</translation>
    </message>
    <message>
        <source>Joining…</source>
        <translation>Uniendo…</translation>
    </message>
    <message>
        <source>Looking into the folder…</source>
        <translation>Mirando en la carpeta…</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>Quitar {name}</translation>
    </message>
    <message>
        <source>{name} keeps, and can read, everything that it had. It gets nothing new, and what it writes from now on reaches none of your other computers. These need the new phrase below: choose Join again on each.</source>
        <translation>{name} conserva todo lo que tenía y puede leerlo. No recibe nada nuevo, y lo que escriba desde ahora no llega a ninguno de tus otros dispositivos. Estos necesitan la nueva frase de abajo: elige «Volver a unirse» en cada uno.</translation>
    </message>
    <message>
        <source>Removing the computer…</source>
        <translation>Quitando el dispositivo…</translation>
    </message>
    <message>
        <source>{title}: {detail}</source>
        <translation>{title}: {detail}</translation>
    </message>
    <message>
        <source>Still to fill in: {missing}.</source>
        <translation>Falta por rellenar: {missing}.</translation>
    </message>
    <message>
        <source>The prompt was not inserted: another thread is open now.</source>
        <translation>El prompt no se insertó: ahora hay otra conversación abierta.</translation>
    </message>
    <message>
        <source>There is no text in the clipboard.</source>
        <translation>No hay texto en el portapapeles.</translation>
    </message>
    <message>
        <source>Nothing is selected in the thread.</source>
        <translation>No hay nada seleccionado en la conversación.</translation>
    </message>
    <message>
        <source>Message {name} — drop files here, / for prompts</source>
        <translation>Mensaje a {name}: suelta archivos aquí, / para prompts</translation>
    </message>
    <message>
        <source>Fill in: {prompt_name}</source>
        <translation>Rellenar: {prompt_name}</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>Insertar</translation>
    </message>
    <message>
        <source>Template, for the composer</source>
        <translation>Plantilla, para el cuadro de mensaje</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>Prompt de sistema</translation>
    </message>
    <message>
        <source>Quick action, below an answer</source>
        <translation>Acción rápida, bajo una respuesta</translation>
    </message>
    <message>
        <source>Assistant, with @</source>
        <translation>Asistente, con @</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in. Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for.</source>
        <translation>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} se rellenan. Cualquier otro nombre, como {{topic}}, {{topic:default}} o {{tone|formal|casual}}, se pregunta.</translation>
    </message>
    <message>
        <source>Choosing it below an answer, in its menu or in the search asks this about the answer. The variables of templates are filled in; where one is asked for, the text goes into the composer first.</source>
        <translation>Elegida bajo una respuesta, en su menú o en la búsqueda, pregunta esto sobre la respuesta. Las variables de las plantillas se rellenan; si se pregunta alguna, el texto va antes al cuadro de mensaje.</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent.</source>
        <translation>{{date}} {{time}} {{project}} {{model}} se rellenan cada vez que se envía.</translation>
    </message>
    <message>
        <source>The text is its instructions, sent in place of the system prompt. Choose it below the message for a whole thread, or type @ for one question.</source>
        <translation>El texto son sus instrucciones, enviadas en lugar del prompt de sistema. Elígelo bajo el mensaje para toda una conversación, o escribe @ para una pregunta.</translation>
    </message>
    <message>
        <source>Name of the prompt</source>
        <translation>Nombre del prompt</translation>
    </message>
    <message>
        <source>Kind of prompt</source>
        <translation>Tipo de prompt</translation>
    </message>
    <message>
        <source>Text of the prompt</source>
        <translation>Texto del prompt</translation>
    </message>
    <message>
        <source>What the prompt says</source>
        <translation>Lo que dice el prompt</translation>
    </message>
    <message>
        <source>Prompts (*.json)</source>
        <translation>Prompts (*.json)</translation>
    </message>
    <message>
        <source>Something went wrong. Nothing was stored; the text is kept here.</source>
        <translation>Algo salió mal. No se guardó nada; el texto se conserva aquí.</translation>
    </message>
    <message>
        <source>add prompt</source>
        <translation>añadir prompt</translation>
    </message>
    <message>
        <source>delete prompt</source>
        <translation>eliminar prompt</translation>
    </message>
    <message>
        <source>edit prompt</source>
        <translation>editar prompt</translation>
    </message>
    <message>
        <source>Import prompts</source>
        <translation>Importar prompts</translation>
    </message>
    <message>
        <source>Export prompts</source>
        <translation>Exportar prompts</translation>
    </message>
    <message>
        <source>import prompts</source>
        <translation>importar prompts</translation>
    </message>
    <message numerus="yes">
        <source>Added: {count} prompts. What was there already stays as it is.</source>
        <comment>Added: {count} prompt. What was there already stays as it is.</comment>
        <translation>
            <numerusform>Añadido: {count} prompt. Lo que ya había queda como está.</numerusform>
            <numerusform>Añadidos: {count} prompts. Lo que ya había queda como está.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Exported: {count} prompts to {name}.</source>
        <comment>Exported: {count} prompt to {name}.</comment>
        <translation>
            <numerusform>Exportado: {count} prompt a {name}.</numerusform>
            <numerusform>Exportados: {count} prompts a {name}.</numerusform>
        </translation>
    </message>
    <message>
        <source>All prompts</source>
        <translation>Todos los prompts</translation>
    </message>
    <message>
        <source>Templates</source>
        <translation>Plantillas</translation>
    </message>
    <message>
        <source>System prompts</source>
        <translation>Prompts de sistema</translation>
    </message>
    <message>
        <source>Quick actions</source>
        <translation>Acciones rápidas</translation>
    </message>
    <message>
        <source>Assistants</source>
        <translation>Asistentes</translation>
    </message>
    <message>
        <source>Deleted: {name}</source>
        <translation>Eliminado: {name}</translation>
    </message>
    <message>
        <source>New</source>
        <translation>Nuevo</translation>
    </message>
    <message>
        <source>Undo deleting the prompt</source>
        <translation>Deshacer la eliminación del prompt</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>Duplicar</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>Revertir</translation>
    </message>
    <message numerus="yes">
        <source>{count} more: type part of a name.</source>
        <comment>{count} more: type part of a name.</comment>
        <translation>
            <numerusform>{count} más: escribe parte de un nombre.</numerusform>
            <numerusform>{count} más: escribe parte de un nombre.</numerusform>
        </translation>
    </message>
    <message>
        <source>Make your last answer shorter. Keep what matters most.</source>
        <translation>Acorta tu última respuesta. Conserva lo más importante.</translation>
    </message>
    <message>
        <source>Make your last answer longer. Go into more detail.</source>
        <translation>Alarga tu última respuesta. Da más detalles.</translation>
    </message>
    <message>
        <source>Asked below this answer. What came after it stays as another version.</source>
        <translation>Preguntado bajo esta respuesta. Lo que venía después queda como otra versión.</translation>
    </message>
    <message>
        <source>Quick action: {name}</source>
        <translation>Acción rápida: {name}</translation>
    </message>
    <message>
        <source>Select something in the thread first.</source>
        <translation>Selecciona antes algo en la conversación.</translation>
    </message>
    <message>
        <source>From {name}</source>
        <translation>De {name}</translation>
    </message>
    <message>
        <source>{title}, from {name}</source>
        <translation>{title}, de {name}</translation>
    </message>
    <message>
        <source>Asking {server} for “{title}”…</source>
        <translation>Pidiendo «{title}» a {server}…</translation>
    </message>
    <message>
        <source>{server} wrote this text. Read it before you send it.</source>
        <translation>{server} escribió este texto. Léelo antes de enviarlo.</translation>
    </message>
    <message>
        <source>“{title}” came while you were typing.</source>
        <translation>«{title}» llegó mientras escribías.</translation>
    </message>
    <message>
        <source>{label} (optional)</source>
        <translation>{label} (opcional)</translation>
    </message>
    <message>
        <source>System prompt of this thread</source>
        <translation>Prompt de sistema de esta conversación</translation>
    </message>
    <message>
        <source>System prompt of the project</source>
        <translation>Prompt de sistema del proyecto</translation>
    </message>
    <message>
        <source>Sent before the messages with every question. {{date}}, {{time}}, {{project}} and {{model}} are filled in each time.</source>
        <translation>Se envía antes de los mensajes con cada pregunta. {{date}}, {{time}}, {{project}} y {{model}} se rellenan cada vez.</translation>
    </message>
    <message>
        <source>System prompts of the library</source>
        <translation>Prompts de sistema de la biblioteca</translation>
    </message>
    <message>
        <source>From the library</source>
        <translation>De la biblioteca</translation>
    </message>
    <message>
        <source>Save to the library</source>
        <translation>Guardar en la biblioteca</translation>
    </message>
    <message>
        <source>This thread</source>
        <translation>Esta conversación</translation>
    </message>
    <message>
        <source>Project {name}</source>
        <translation>Proyecto {name}</translation>
    </message>
    <message>
        <source>Sent in every thread of the project that has none of its own.</source>
        <translation>Se envía en cada conversación del proyecto que no tiene uno propio.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, the default from the settings is sent.</source>
        <translation>El proyecto no tiene: en conversaciones sin uno propio se envía el de los ajustes.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, no system prompt is sent.</source>
        <translation>El proyecto no tiene: en conversaciones sin uno propio no se envía prompt de sistema.</translation>
    </message>
    <message>
        <source>This thread&apos;s own system prompt is sent.</source>
        <translation>Se envía el prompt de sistema de esta conversación.</translation>
    </message>
    <message>
        <source>This thread has none: the project&apos;s is sent.</source>
        <translation>Esta conversación no tiene: se envía el del proyecto.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: the default from the settings is sent.</source>
        <translation>Ni la conversación ni el proyecto tienen: se envía el de los ajustes.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: no system prompt is sent.</source>
        <translation>Ni la conversación ni el proyecto tienen: no se envía prompt de sistema.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>About {count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>Ocupa alrededor de {count} token de los {window} que el modelo puede leer en cada petición.</numerusform>
            <numerusform>Ocupa unos {count} tokens de los {window} que el modelo puede leer en cada petición.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>{count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>Ocupa {count} token de los {window} que el modelo puede leer en cada petición.</numerusform>
            <numerusform>Ocupa {count} tokens de los {window} que el modelo puede leer en cada petición.</numerusform>
        </translation>
    </message>
    <message>
        <source>Shorten it, or choose a model with a larger window.</source>
        <translation>Acórtalo o elige un modelo con una ventana mayor.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>About {count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>Alrededor de {count} token: no deja sitio para un mensaje en los {window} que el modelo puede leer.</numerusform>
            <numerusform>Unos {count} tokens: no deja sitio para un mensaje en los {window} que el modelo puede leer.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>{count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>{count} token: no deja sitio para un mensaje en los {window} que el modelo puede leer.</numerusform>
            <numerusform>{count} tokens: no deja sitio para un mensaje en los {window} que el modelo puede leer.</numerusform>
        </translation>
    </message>
    <message>
        <source>An imported system prompt is sent with your question.</source>
        <translation>Con tu pregunta se envía un prompt de sistema importado.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with your question.</source>
        <translation>{name} cambió el prompt de sistema; se envía con tu pregunta.</translation>
    </message>
    <message>
        <source>A temporary chat has the instructions of its project.</source>
        <translation>Un chat temporal tiene las instrucciones de su proyecto.</translation>
    </message>
    <message>
        <source>Saved to the library: {name}</source>
        <translation>Guardado en la biblioteca: {name}</translation>
    </message>
    <message>
        <source>change system prompt</source>
        <translation>cambiar prompt de sistema</translation>
    </message>
    <message>
        <source>The system prompt was changed</source>
        <translation>El prompt de sistema se cambió</translation>
    </message>
    <message>
        <source>{what} Agree only if you made this change yourself and trust that server.</source>
        <translation>{what} Acéptalo solo si hiciste tú este cambio y confías en ese servidor.</translation>
    </message>
    <message>
        <source>Your name for it</source>
        <translation>Nombre que le das</translation>
    </message>
    <message>
        <source>Sees images</source>
        <translation>Admite imágenes</translation>
    </message>
    <message>
        <source>$ in / 1M</source>
        <translation>$ entrada / 1M</translation>
    </message>
    <message>
        <source>$ out / 1M</source>
        <translation>$ salida / 1M</translation>
    </message>
    <message>
        <source>Offered when a model is chosen.</source>
        <translation>Se ofrece al elegir un modelo.</translation>
    </message>
    <message>
        <source>The id of the model at its server.</source>
        <translation>El identificador del modelo en su servidor.</translation>
    </message>
    <message>
        <source>The name under which it is offered.</source>
        <translation>El nombre con que se ofrece.</translation>
    </message>
    <message>
        <source>Whether images are sent to it. A dash means unknown.</source>
        <translation>Si se le envían imágenes. Un guion significa que no se sabe.</translation>
    </message>
    <message>
        <source>How many tokens it reads at once, such as 128k.</source>
        <translation>Cuántos tokens lee a la vez; por ejemplo, 128k.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it reads.</source>
        <translation>Dólares de EE. UU. por un millón de tokens que lee.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it writes.</source>
        <translation>Dólares de EE. UU. por un millón de tokens que escribe.</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>no se sabe</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>sí</translation>
    </message>
    <message>
        <source>no</source>
        <translation>no</translation>
    </message>
    <message>
        <source>Change the passphrase</source>
        <translation>Cambiar la frase de contraseña</translation>
    </message>
    <message>
        <source>Keys are locked</source>
        <translation>Las claves están bloqueadas</translation>
    </message>
    <message>
        <source>The current passphrase</source>
        <translation>La frase de contraseña actual</translation>
    </message>
    <message>
        <source>Passphrase</source>
        <translation>Frase de contraseña</translation>
    </message>
    <message>
        <source>The new passphrase again</source>
        <translation>La frase de contraseña nueva otra vez</translation>
    </message>
    <message>
        <source>The keys of your providers are in a file that a passphrase encrypts. You enter it once after each start.</source>
        <translation>Las claves de tus proveedores están en un archivo cifrado con una frase de contraseña, que se introduce una vez tras cada inicio.</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Cambiar</translation>
    </message>
    <message>
        <source>The two new passphrases are not the same.</source>
        <translation>Las dos frases de contraseña nuevas no son iguales.</translation>
    </message>
    <message>
        <source>Remove {label}?</source>
        <translation>¿Quitar {label}?</translation>
    </message>
    <message>
        <source>Its key is forgotten. Threads keep their answers; a thread that used it asks for another model.</source>
        <translation>Su clave se olvida. Las conversaciones conservan sus respuestas; la que lo usaba pide otro modelo.</translation>
    </message>
    <message>
        <source>{problem} Nothing was sent; see Settings, Providers.</source>
        <translation>{problem} No se envió nada; consulta Ajustes, Proveedores.</translation>
    </message>
    <message>
        <source>Chat completions, which every server has</source>
        <translation>Chat completions, que tienen todos los servidores</translation>
    </message>
    <message>
        <source>Responses, where the server has it</source>
        <translation>Responses, si el servidor lo tiene</translation>
    </message>
    <message>
        <source>Anthropic&apos;s messages</source>
        <translation>Los mensajes de Anthropic</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Dirección</translation>
    </message>
    <message>
        <source>localhost:8080 or https://…</source>
        <translation>localhost:8080 o https://…</translation>
    </message>
    <message>
        <source>Protocol</source>
        <translation>Protocolo</translation>
    </message>
    <message>
        <source>Use this provider</source>
        <translation>Usar este proveedor</translation>
    </message>
    <message>
        <source>Set by the variable OPENAI_BASE_URL, so it cannot be changed here.</source>
        <translation>Lo define la variable OPENAI_BASE_URL, así que no se puede cambiar aquí.</translation>
    </message>
    <message>
        <source>Enter the address of the server.</source>
        <translation>Introduce la dirección del servidor.</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address.</source>
        <translation>Introduce el nombre de tu recurso en la dirección.</translation>
    </message>
    <message>
        <source>Stop the test</source>
        <translation>Detener la prueba</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>Probar</translation>
    </message>
    <message>
        <source>API key</source>
        <translation>Clave de API</translation>
    </message>
    <message>
        <source>More settings</source>
        <translation>Más ajustes</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Quitar…</translation>
    </message>
    <message>
        <source>In the system keyring</source>
        <translation>En el llavero del sistema</translation>
    </message>
    <message>
        <source>For this run only</source>
        <translation>Solo hasta cerrar</translation>
    </message>
    <message>
        <source>In a file that a passphrase encrypts</source>
        <translation>En un archivo cifrado con una frase de contraseña</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Reemplazar</translation>
    </message>
    <message>
        <source>Replace the key</source>
        <translation>Reemplazar la clave</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Olvidar</translation>
    </message>
    <message>
        <source>Forget the key</source>
        <translation>Olvidar la clave</translation>
    </message>
    <message>
        <source>Use it there…</source>
        <translation>Usarla allí…</translation>
    </message>
    <message>
        <source>Use the kept key at this server</source>
        <translation>Usar la clave guardada en este servidor</translation>
    </message>
    <message>
        <source>Paste the key</source>
        <translation>Pega la clave</translation>
    </message>
    <message>
        <source>Get a key</source>
        <translation>Obtener una clave</translation>
    </message>
    <message>
        <source>Where the key is kept</source>
        <translation>Dónde se guarda la clave</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys</source>
        <translation>Frase de contraseña del archivo de claves</translation>
    </message>
    <message>
        <source>{place}; it has precedence over a stored key, so it cannot be changed here</source>
        <translation>{place}; tiene prioridad sobre una clave guardada, así que no se puede cambiar aquí</translation>
    </message>
    <message>
        <source>The kept key is used at this server from now on.</source>
        <translation>A partir de ahora, la clave guardada se usa en este servidor.</translation>
    </message>
    <message>
        <source>Key, if the server asks for one</source>
        <translation>Clave, si el servidor la pide</translation>
    </message>
    <message>
        <source>The passphrase of the file</source>
        <translation>La frase de contraseña del archivo</translation>
    </message>
    <message>
        <source>It is never written in plain text.</source>
        <translation>Nunca se escribe sin cifrar.</translation>
    </message>
    <message>
        <source>{why}: choose where the key is kept.</source>
        <translation>{why}: elige dónde se guarda la clave.</translation>
    </message>
    <message>
        <source>Models of {label}</source>
        <translation>Modelos de {label}</translation>
    </message>
    <message>
        <source>Arrows move, Space ticks, F2 or typing changes a cell.</source>
        <translation>Las flechas mueven, Espacio marca, F2 o escribir cambia una celda.</translation>
    </message>
    <message>
        <source>Id of a model that is missing</source>
        <translation>Identificador de un modelo que falta</translation>
    </message>
    <message>
        <source>Fetch the list again</source>
        <translation>Obtener la lista de nuevo</translation>
    </message>
    <message>
        <source>The team does not see it</source>
        <translation>El equipo no lo ve</translation>
    </message>
    <message>
        <source>The team sees its name</source>
        <translation>El equipo ve su nombre</translation>
    </message>
    <message>
        <source>The team gets its text</source>
        <translation>El equipo recibe su texto</translation>
    </message>
    <message>
        <source>Files of {project}</source>
        <translation>Archivos de {project}</translation>
    </message>
    <message>
        <source>ChatDesk reads these on this computer, keeps them current, and sends the passages that fit a question with it. The answer names them.</source>
        <translation>ChatDesk los lee en este dispositivo, los mantiene al día y envía con cada pregunta los fragmentos que le corresponden. La respuesta los nombra.</translation>
    </message>
    <message>
        <source>Folders, files and pages</source>
        <translation>Carpetas, archivos y páginas</translation>
    </message>
    <message>
        <source>Folder, file or address to add</source>
        <translation>Carpeta, archivo o dirección que se añade</translation>
    </message>
    <message>
        <source>Path of a folder or file, or https://…</source>
        <translation>Ruta de una carpeta o archivo, o https://…</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Carpeta…</translation>
    </message>
    <message>
        <source>Add a folder</source>
        <translation>Añadir una carpeta</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>Archivo…</translation>
    </message>
    <message>
        <source>Add a file</source>
        <translation>Añadir un archivo</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Añadir</translation>
    </message>
    <message>
        <source>Last here</source>
        <translation>Última vez aquí</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Pendiente</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Tamaño</translation>
    </message>
    <message>
        <source>Computers</source>
        <translation>Dispositivos</translation>
    </message>
    <message>
        <source>Remove this computer…</source>
        <translation>Quitar este dispositivo…</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pausar</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Reanudar</translation>
    </message>
    <message>
        <source>Have the same chats on all computers of yours. A folder that something carries between them is enough: Syncthing, Nextcloud, Dropbox, a network drive or a USB stick. Everything is encrypted before it is written there.</source>
        <translation>Ten los mismos chats en todos tus dispositivos. Basta una carpeta que algo lleve de uno a otro: Syncthing, Nextcloud, Dropbox, una unidad de red o una memoria USB. Todo se cifra antes de escribirse en ella.</translation>
    </message>
    <message>
        <source>Start…</source>
        <translation>Empezar…</translation>
    </message>
    <message>
        <source>Join…</source>
        <translation>Unirse…</translation>
    </message>
    <message>
        <source>The first computer</source>
        <translation>El primer dispositivo</translation>
    </message>
    <message>
        <source>Choose an empty folder. You get a recovery phrase, which your other computers need.</source>
        <translation>Elige una carpeta vacía. Recibes una frase de recuperación que necesitan tus otros dispositivos.</translation>
    </message>
    <message>
        <source>A further computer, or a new one</source>
        <translation>Otro dispositivo, o uno nuevo</translation>
    </message>
    <message>
        <source>Choose the same folder and give the phrase. You see whose it is before anything is merged.</source>
        <translation>Elige la misma carpeta e indica la frase. Ves de quién es antes de combinar nada.</translation>
    </message>
    <message>
        <source>Join again…</source>
        <translation>Volver a unirse…</translation>
    </message>
    <message>
        <source>Forget the folder…</source>
        <translation>Olvidar la carpeta…</translation>
    </message>
    <message>
        <source>older than before</source>
        <translation>más antiguo que antes</translation>
    </message>
    <message>
        <source>older files</source>
        <translation>archivos más antiguos</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>Leer de nuevo</translation>
    </message>
    <message>
        <source>Left out…</source>
        <translation>Exclusiones…</translation>
    </message>
    <message>
        <source>Choose what of the folder is left out</source>
        <translation>Elegir qué se omite de la carpeta</translation>
    </message>
    <message>
        <source>Secrets…</source>
        <translation>Secretos…</translation>
    </message>
    <message>
        <source>Choose which files that look like secrets are read</source>
        <translation>Elegir qué archivos que parecen secretos se leen</translation>
    </message>
    <message>
        <source>What the team gets</source>
        <translation>Lo que recibe el equipo</translation>
    </message>
    <message>
        <source>With the text, members&apos; computers get all passages. Where a member chose a provider&apos;s model for the vectors, it gets them, too.</source>
        <translation>Con el texto, los dispositivos de los miembros reciben todos los fragmentos. Si un miembro eligió el modelo de un proveedor para los vectores, este también los recibe.</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>Cambiar…</translation>
    </message>
    <message>
        <source>Change what makes the vectors</source>
        <translation>Cambiar qué calcula los vectores</translation>
    </message>
    <message>
        <source>Who gets them…</source>
        <translation>Quién los recibe…</translation>
    </message>
    <message>
        <source>Choose which providers get the files</source>
        <translation>Elegir qué proveedores reciben los archivos</translation>
    </message>
    <message>
        <source>Try a question</source>
        <translation>Probar una pregunta</translation>
    </message>
    <message>
        <source>Try a question: what would be found?</source>
        <translation>Probar una pregunta: ¿qué se encontraría?</translation>
    </message>
    <message>
        <source>What would be found</source>
        <translation>Lo que se encontraría</translation>
    </message>
    <message>
        <source>Kept questions…</source>
        <translation>Preguntas guardadas…</translation>
    </message>
    <message>
        <source>Keep questions and run them again</source>
        <translation>Guardar preguntas y volver a ejecutarlas</translation>
    </message>
    <message numerus="yes">
        <source>and {count} more</source>
        <comment>and {count} more</comment>
        <translation>
            <numerusform>y {count} más</numerusform>
            <numerusform>y {count} más</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} passages found</source>
        <comment>{count} passage found</comment>
        <translation>
            <numerusform>{count} fragmento encontrado</numerusform>
            <numerusform>{count} fragmentos encontrados</numerusform>
        </translation>
    </message>
    <message>
        <source>Go on reading</source>
        <translation>Seguir leyendo</translation>
    </message>
    <message>
        <source>shared by the team</source>
        <translation>compartido por el equipo</translation>
    </message>
    <message>
        <source>being listed</source>
        <translation>preparando la lista</translation>
    </message>
    <message>
        <source>last read {when}</source>
        <translation>última lectura: {when}</translation>
    </message>
    <message>
        <source>Add the model</source>
        <translation>Añadir el modelo</translation>
    </message>
    <message>
        <source>What you type comes before what the server says. Prices are used for costs and limits.</source>
        <translation>Lo que escribes tiene prioridad sobre lo que dice el servidor. Los precios se usan para calcular costes y límites.</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Como el sistema</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>Conexión</translation>
    </message>
    <message>
        <source>First word</source>
        <translation>Primera palabra</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>Silencio</translation>
    </message>
    <message>
        <source>Model for new threads</source>
        <translation>Modelo para conversaciones nuevas</translation>
    </message>
    <message>
        <source>Only those of the system</source>
        <translation>Solo los del sistema</translation>
    </message>
    <message>
        <source>The usual time</source>
        <translation>El tiempo habitual</translation>
    </message>
    <message>
        <source>Organisation</source>
        <translation>Organización</translation>
    </message>
    <message>
        <source>Proxy</source>
        <translation>Proxy</translation>
    </message>
    <message>
        <source>As the system, none, or an address such as http://proxy.example:3128</source>
        <translation>Como el sistema, ninguno, o una dirección como http://proxy.example:3128</translation>
    </message>
    <message>
        <source>File of certificates</source>
        <translation>Archivo de certificados</translation>
    </message>
    <message>
        <source>Choose a file of certificates</source>
        <translation>Elegir un archivo de certificados</translation>
    </message>
    <message>
        <source>Headers, one a line as Name: value</source>
        <translation>Cabeceras, una por línea como Nombre: valor</translation>
    </message>
    <message>
        <source>{what}, seconds</source>
        <translation>{what}, segundos</translation>
    </message>
    <message>
        <source>Certificates to trust in addition to the system&apos;s</source>
        <translation>Certificados en los que confiar además de los del sistema</translation>
    </message>
    <message>
        <source>Headers; values that are keys are stored with your keys</source>
        <translation>Cabeceras; los valores que son claves se guardan con tus claves</translation>
    </message>
    <message>
        <source>Seconds to wait for</source>
        <translation>Segundos de espera</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer);;All files (*)</source>
        <translation>Certificados (*.pem *.crt *.cer);;Todos los archivos (*)</translation>
    </message>
    <message>
        <source>{what} must be a number of seconds.</source>
        <translation>{what} debe ser un número de segundos.</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Detenida</translation>
    </message>
    <message>
        <source>The picture that is sent with the question</source>
        <translation>La imagen que se envía con la pregunta</translation>
    </message>
    <message>
        <source>Clipboard</source>
        <translation>Portapapeles</translation>
    </message>
    <message>
        <source>Selection</source>
        <translation>Selección</translation>
    </message>
    <message>
        <source>Screenshot</source>
        <translation>Captura de pantalla</translation>
    </message>
    <message>
        <source>There is no text on the clipboard.</source>
        <translation>No hay texto en el portapapeles.</translation>
    </message>
    <message>
        <source>No text is selected in another window.</source>
        <translation>No hay texto seleccionado en otra ventana.</translation>
    </message>
    <message numerus="yes">
        <source>{name}, only the first {count} characters</source>
        <comment>{name}, only the first {count} character</comment>
        <translation>
            <numerusform>{name}, solo el primer {count} carácter</numerusform>
            <numerusform>{name}, solo los primeros {count} caracteres</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}, {count} characters</source>
        <comment>{name}, {count} character</comment>
        <translation>
            <numerusform>{name}, {count} carácter</numerusform>
            <numerusform>{name}, {count} caracteres</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask anything</source>
        <translation>Pregunta lo que quieras</translation>
    </message>
    <message>
        <source>Add the clipboard</source>
        <translation>Añadir el portapapeles</translation>
    </message>
    <message>
        <source>Add the selection</source>
        <translation>Añadir la selección</translation>
    </message>
    <message>
        <source>Add a screenshot</source>
        <translation>Añadir una captura de pantalla</translation>
    </message>
    <message>
        <source>New</source>
        <comment>question</comment>
        <translation>Nueva</translation>
    </message>
    <message>
        <source>Open in ChatDesk</source>
        <translation>Abrir en ChatDesk</translation>
    </message>
    <message>
        <source>{words}: leave it out</source>
        <translation>{words}: omitirlo</translation>
    </message>
    <message>
        <source>Choose a part of the screen</source>
        <translation>Elige una parte de la pantalla</translation>
    </message>
    <message>
        <source>Drag over a part, or press Enter for what is framed. Arrows move the frame, Shift+arrows change its size, Alt makes small steps, Esc leaves.</source>
        <translation>Arrastra sobre una parte o pulsa Intro para capturar lo enmarcado. Las flechas mueven el marco, Mayús+flechas cambian su tamaño, Alt da pasos pequeños, Esc sale.</translation>
    </message>
    <message>
        <source>This desktop lets programs take no picture of the screen.</source>
        <translation>Este escritorio no permite que los programas capturen la pantalla.</translation>
    </message>
    <message>
        <source>Nothing was taken.</source>
        <translation>No se capturó nada.</translation>
    </message>
    <message>
        <source>Take one with the desktop&apos;s own program, and paste it into a message in the large window.</source>
        <translation>Haz una con el programa del escritorio y pégala en un mensaje de la ventana grande.</translation>
    </message>
    <message>
        <source>The desktop gave no file with the picture.</source>
        <translation>El escritorio no dio ningún archivo con la imagen.</translation>
    </message>
    <message>
        <source>The picture of the screen is too large.</source>
        <translation>La imagen de la pantalla es demasiado grande.</translation>
    </message>
    <message>
        <source>The desktop&apos;s picture of the screen cannot be read.</source>
        <translation>No se puede leer la imagen de la pantalla del escritorio.</translation>
    </message>
    <message>
        <source>Making a backup…</source>
        <translation>Haciendo una copia…</translation>
    </message>
    <message>
        <source>Checking… This reads everything and can take a while.</source>
        <translation>Comprobando… Esto lo lee todo y puede tardar.</translation>
    </message>
    <message>
        <source>Checking and repairing…</source>
        <translation>Comprobando y reparando…</translation>
    </message>
    <message>
        <source>Writing the zip…</source>
        <translation>Escribiendo el zip…</translation>
    </message>
    <message>
        <source>Checking the database</source>
        <translation>Comprobando la base de datos</translation>
    </message>
    <message>
        <source>Repairing the database</source>
        <translation>Reparando la base de datos</translation>
    </message>
    <message>
        <source>Another window has this data directory open.</source>
        <translation>Otra ventana tiene abierta esta carpeta de datos.</translation>
    </message>
    <message>
        <source>The backup was made: {name}</source>
        <translation>Copia hecha: {name}</translation>
    </message>
    <message>
        <source>Nothing is wrong.</source>
        <translation>Todo está bien.</translation>
    </message>
    <message>
        <source>Save everything as a zip</source>
        <translation>Guardar todo como zip</translation>
    </message>
    <message>
        <source>Everything was saved to {name}.</source>
        <translation>Todo se guardó en {name}.</translation>
    </message>
    <message>
        <source>and {lost} more</source>
        <translation>y {lost} más</translation>
    </message>
    <message numerus="yes">
        <source>All but {count} attachments were saved to {name}:</source>
        <comment>All but {count} attachment was saved to {name}:</comment>
        <translation>
            <numerusform>Todo menos {count} adjunto se guardó en {name}:</numerusform>
            <numerusform>Todo menos {count} adjuntos se guardó en {name}:</numerusform>
        </translation>
    </message>
    <message>
        <source>Import and export</source>
        <translation>Importar y exportar</translation>
    </message>
    <message>
        <source>Take over chats from ChatGPT, Claude and others, or write yours as Markdown, web pages, PDF or JSON.</source>
        <translation>Trae chats de ChatGPT, Claude y otros, o guarda los tuyos como Markdown, páginas web, PDF o JSON.</translation>
    </message>
    <message>
        <source>Back up and restore</source>
        <translation>Hacer y restaurar copias</translation>
    </message>
    <message>
        <source>ChatDesk makes a backup each day and before each upgrade, and checks each one.</source>
        <translation>ChatDesk hace una copia cada día y antes de cada actualización, y comprueba cada una.</translation>
    </message>
    <message>
        <source>Save everything as a zip…</source>
        <translation>Guardar todo como zip…</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Mostrar carpeta</translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation>Restaurar…</translation>
    </message>
    <message>
        <source>Check reads everything that is stored. Repair makes a copy first and says what it changed.</source>
        <translation>Comprobar lee todo lo guardado. Reparar hace antes una copia e indica qué cambió.</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>Comprobar</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>Reparar</translation>
    </message>
    <message>
        <source>Something went wrong?</source>
        <translation>¿Algo salió mal?</translation>
    </message>
    <message>
        <source>Collects the log, the settings and failure reports, without your messages and keys.</source>
        <translation>Reúne el registro, los ajustes y los informes de fallos, sin tus mensajes ni claves.</translation>
    </message>
    <message>
        <source>Backups are in {folder}</source>
        <translation>Las copias están en {folder}</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Resultado</translation>
    </message>
    <message>
        <source>… and {lines} more; &apos;chatdesk doctor --json&apos; lists them.</source>
        <translation>… y {lines} más; &apos;chatdesk doctor --json&apos; las muestra.</translation>
    </message>
    <message>
        <source>{label}, its own choice</source>
        <translation>{label}, el que elija</translation>
    </message>
    <message>
        <source>General</source>
        <translation>General</translation>
    </message>
    <message>
        <source>Providers</source>
        <translation>Proveedores</translation>
    </message>
    <message>
        <source>Usage and limits</source>
        <translation>Uso y límites</translation>
    </message>
    <message>
        <source>Accessibility</source>
        <translation>Accesibilidad</translation>
    </message>
    <message>
        <source>Team sync</source>
        <translation>Sincronización del equipo</translation>
    </message>
    <message>
        <source>Local service</source>
        <translation>Servicio local</translation>
    </message>
    <message>
        <source>Data and backup</source>
        <translation>Datos y copias</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>Atajos</translation>
    </message>
    <message>
        <source>Enter the passphrase…</source>
        <translation>Introducir la frase de contraseña…</translation>
    </message>
    <message>
        <source>Change the passphrase…</source>
        <translation>Cambiar la frase de contraseña…</translation>
    </message>
    <message>
        <source>Add provider</source>
        <translation>Añadir proveedor</translation>
    </message>
    <message>
        <source>Look for servers on this computer</source>
        <translation>Buscar servidores en este dispositivo</translation>
    </message>
    <message>
        <source>Only this computer is asked, at the usual ports, and no key is sent.</source>
        <translation>Solo se pregunta a este dispositivo, en los puertos habituales, y no se envía ninguna clave.</translation>
    </message>
    <message>
        <source>Always available</source>
        <translation>Siempre disponible</translation>
    </message>
    <message>
        <source>Needs no network, for trying things out</source>
        <translation>No necesita red, para hacer pruebas</translation>
    </message>
    <message>
        <source>Your keys are in a locked file. Enter its passphrase to use them.</source>
        <translation>Tus claves están en un archivo bloqueado. Introduce su frase de contraseña para usarlas.</translation>
    </message>
    <message>
        <source>Switched off</source>
        <translation>Desactivado</translation>
    </message>
    <message>
        <source>Test {label}</source>
        <translation>Probar {label}</translation>
    </message>
    <message>
        <source>Edit {label}</source>
        <translation>Editar {label}</translation>
    </message>
    <message>
        <source>Search the memories</source>
        <translation>Buscar en los recuerdos</translation>
    </message>
    <message>
        <source>Memories to show</source>
        <translation>Recuerdos que se muestran</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>Añadir…</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>Editar…</translation>
    </message>
    <message>
        <source>Show its message</source>
        <translation>Mostrar su mensaje</translation>
    </message>
    <message>
        <source>Delete what is chosen</source>
        <translation>Eliminar lo elegido</translation>
    </message>
    <message>
        <source>Providers that get memories. None gets them unless you tick it.</source>
        <translation>Proveedores que reciben los recuerdos. Ninguno los recibe si no lo marcas.</translation>
    </message>
    <message>
        <source>Providers that get memories</source>
        <translation>Proveedores que reciben los recuerdos</translation>
    </message>
    <message>
        <source>What you confirm is kept, and sent with your questions to the providers that you tick below.</source>
        <translation>Lo que confirmas se conserva y se envía con tus preguntas a los proveedores que marques abajo.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent. What is here stays until you delete it.</source>
        <translation>La memoria está desactivada: no se conserva ni se envía nada. Lo que hay aquí se queda hasta que lo elimines.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on. What is here can be deleted.</source>
        <translation>La memoria está desactivada: no se conserva ni se envía nada hasta que la actives. Lo que hay aquí se puede eliminar.</translation>
    </message>
    <message>
        <source>All memories</source>
        <translation>Todos los recuerdos</translation>
    </message>
    <message>
        <source>{name} (at a new address: tick it again)</source>
        <translation>{name} (en una dirección nueva: márcalo otra vez)</translation>
    </message>
    <message>
        <source>{name} — {address}</source>
        <translation>{name} — {address}</translation>
    </message>
    <message>
        <source>Undo the deletion</source>
        <translation>Deshacer la eliminación</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories</source>
        <comment>{count} memory</comment>
        <translation>
            <numerusform>{count} recuerdo</numerusform>
            <numerusform>{count} recuerdos</numerusform>
        </translation>
    </message>
    <message>
        <source>No memory matches.</source>
        <translation>Ningún recuerdo coincide.</translation>
    </message>
    <message>
        <source>Nothing is remembered yet.</source>
        <translation>Aún no se recuerda nada.</translation>
    </message>
    <message>
        <source>Export the memories</source>
        <translation>Exportar los recuerdos</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>Archivos JSON (*.json)</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>Modelos…</translation>
    </message>
    <message>
        <source>Enter a key</source>
        <translation>Introducir una clave</translation>
    </message>
    <message>
        <source>Switch off</source>
        <translation>Desactivar</translation>
    </message>
    <message>
        <source>Switch on</source>
        <translation>Activar</translation>
    </message>
    <message numerus="yes">
        <source>{count} models of {label}</source>
        <comment>{count} model of {label}</comment>
        <translation>
            <numerusform>{count} modelo de {label}</numerusform>
            <numerusform>{count} modelos de {label}</numerusform>
        </translation>
    </message>
    <message>
        <source>Fetched {fetched}</source>
        <translation>Obtenida {fetched}</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>Buscando…</translation>
    </message>
    <message>
        <source>Not tested</source>
        <translation>Sin probar</translation>
    </message>
    <message>
        <source>Result of the test</source>
        <translation>Resultado de la prueba</translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation>Todo funciona.</translation>
    </message>
    <message>
        <source>Encryption</source>
        <translation>Cifrado</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Clave</translation>
    </message>
    <message>
        <source>Streaming</source>
        <translation>Streaming</translation>
    </message>
    <message>
        <source>The key is not used before you agree</source>
        <translation>La clave no se usa hasta que lo aceptes</translation>
    </message>
    <message>
        <source>Key from the variable {variable}</source>
        <translation>Clave de la variable {variable}</translation>
    </message>
    <message>
        <source>API key in the system keyring</source>
        <translation>Clave de API en el llavero del sistema</translation>
    </message>
    <message>
        <source>API key in the encrypted file</source>
        <translation>Clave de API en el archivo cifrado</translation>
    </message>
    <message>
        <source>API key for this run only</source>
        <translation>Clave de API solo hasta cerrar</translation>
    </message>
    <message>
        <source>No key yet</source>
        <translation>Aún sin clave</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>En este dispositivo</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address</source>
        <translation>Cualquier dirección compatible con OpenAI</translation>
    </message>
    <message>
        <source>No key needed</source>
        <translation>No hace falta clave</translation>
    </message>
    <message>
        <source>{code}: the key was refused</source>
        <translation>{code}: se rechazó la clave</translation>
    </message>
    <message numerus="yes">
        <source>Works, {count} models</source>
        <comment>Works, {count} model</comment>
        <translation>
            <numerusform>Funciona, {count} modelo</numerusform>
            <numerusform>Funciona, {count} modelos</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk first backs up what is there now. Then it closes, restores the backup you chose, and opens again.</source>
        <translation>ChatDesk hace antes una copia de lo que hay. Luego se cierra, restaura la copia elegida y se abre de nuevo.</translation>
    </message>
    <message>
        <source>Restore a backup</source>
        <translation>Restaurar una copia</translation>
    </message>
    <message>
        <source>Backups, the newest first</source>
        <translation>Copias, la más reciente primero</translation>
    </message>
    <message>
        <source>Other file…</source>
        <translation>Otro archivo…</translation>
    </message>
    <message>
        <source>There is no backup yet.</source>
        <translation>Aún no hay ninguna copia.</translation>
    </message>
    <message>
        <source>Looking into it…</source>
        <translation>Examinando…</translation>
    </message>
    <message>
        <source>Unpacking and checking the backup…</source>
        <translation>Descomprimiendo y comprobando la copia…</translation>
    </message>
    <message>
        <source>Choose a backup</source>
        <translation>Elegir una copia</translation>
    </message>
    <message>
        <source>Backups (*.zip *.gz *.db);;All files (*)</source>
        <translation>Copias (*.zip *.gz *.db);;Todos los archivos (*)</translation>
    </message>
    <message>
        <source>before a restore</source>
        <translation>antes de una restauración</translation>
    </message>
    <message>
        <source>before a repair</source>
        <translation>antes de una reparación</translation>
    </message>
    <message>
        <source>before an upgrade</source>
        <translation>antes de una actualización</translation>
    </message>
    <message>
        <source>daily</source>
        <translation>diaria</translation>
    </message>
    <message>
        <source>Newest message: {newest}</source>
        <translation>Mensaje más reciente: {newest}</translation>
    </message>
    <message>
        <source>Newest threads:</source>
        <translation>Conversaciones más recientes:</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Ajustes</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Buscar</translation>
    </message>
    <message>
        <source>Not saved: {why}.</source>
        <translation>Sin guardar: {why}.</translation>
    </message>
    <message>
        <source>Pages of the settings</source>
        <translation>Páginas de los ajustes</translation>
    </message>
    <message>
        <source>The environment variable {env} decides this.</source>
        <translation>Lo decide la variable de entorno {env}.</translation>
    </message>
    <message>
        <source>{hint} It is tried out until {day}, and may change.</source>
        <translation>{hint} En prueba hasta el {day}; puede cambiar.</translation>
    </message>
    <message>
        <source>Add a provider</source>
        <translation>Añadir un proveedor</translation>
    </message>
    <message>
        <source>API key server model connect</source>
        <translation>clave de API servidor modelo conectar</translation>
    </message>
    <message>
        <source>keys</source>
        <translation>teclas</translation>
    </message>
    <message>
        <source>global shortcut hotkey quick window</source>
        <translation>atajo global tecla rápida ventana rápida</translation>
    </message>
    <message>
        <source>workspace join share invite</source>
        <translation>espacio de trabajo unirse compartir invitar</translation>
    </message>
    <message>
        <source>sync folder recovery phrase laptop</source>
        <translation>sincronización carpeta frase de recuperación portátil</translation>
    </message>
    <message>
        <source>cost money tokens price spend</source>
        <translation>coste dinero tokens precio gastar</translation>
    </message>
    <message>
        <source>Found settings</source>
        <translation>Ajustes encontrados</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>No se encontró nada</translation>
    </message>
    <message numerus="yes">
        <source>days</source>
        <comment>day</comment>
        <translation>
            <numerusform>día</numerusform>
            <numerusform>días</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>weeks</source>
        <comment>week</comment>
        <translation>
            <numerusform>semana</numerusform>
            <numerusform>semanas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>minutes</source>
        <comment>minute</comment>
        <translation>
            <numerusform>minuto</numerusform>
            <numerusform>minutos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>seconds</source>
        <comment>second</comment>
        <translation>
            <numerusform>segundo</numerusform>
            <numerusform>segundos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tokens</source>
        <comment>token</comment>
        <translation>
            <numerusform>token</numerusform>
            <numerusform>tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>files</source>
        <comment>file</comment>
        <translation>
            <numerusform>archivo</numerusform>
            <numerusform>archivos</numerusform>
        </translation>
    </message>
    <message>
        <source>Drafts, pins, the archive, what you marked for the context, your keys and your prompts stay on this computer. So do the project&apos;s files: the team sees only the names of the folders and files that you added, or their text if you choose so in Files.</source>
        <translation>Los borradores, lo fijado, lo archivado, lo que marcaste para el contexto, tus claves y tus prompts se quedan en este dispositivo. También los archivos del proyecto: el equipo solo ve los nombres de las carpetas y los archivos que añadiste, o su texto si lo eliges en Archivos.</translation>
    </message>
    <message>
        <source>Share “{name}”</source>
        <translation>Compartir «{name}»</translation>
    </message>
    <message>
        <source>Counting…</source>
        <translation>Contando…</translation>
    </message>
    <message>
        <source>Workspace that the project is shared with</source>
        <translation>Espacio de trabajo con el que se comparte el proyecto</translation>
    </message>
    <message>
        <source>The project will be shared with “{name}”.</source>
        <translation>El proyecto se compartirá con «{name}».</translation>
    </message>
    <message>
        <source>Choose the workspace that the project is shared with.</source>
        <translation>Elige el espacio de trabajo con el que se comparte el proyecto.</translation>
    </message>
    <message>
        <source>With the workspace</source>
        <translation>Con el espacio de trabajo</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Compartir</translation>
    </message>
    <message>
        <source>New threads go into “{name}” unless you choose another project. Once it is shared, others see them. To keep it to yourself, make a new project for what you share.</source>
        <translation>Las conversaciones nuevas van a «{name}» si no eliges otro proyecto. Cuando se comparta, otros las verán. Si quieres reservarlo para ti, crea un proyecto nuevo para lo que compartas.</translation>
    </message>
    <message>
        <source>Who will see it</source>
        <translation>Quién lo verá</translation>
    </message>
    <message>
        <source>At first only you, on all your computers. Then those whom you give a role, here or by inviting them.</source>
        <translation>Al principio solo tú, en todos tus dispositivos. Después, aquellos a quienes des un rol, aquí o al invitarlos.</translation>
    </message>
    <message>
        <source>What never leaves</source>
        <translation>Lo que nunca sale de aquí</translation>
    </message>
    <message>
        <source>What cannot be taken back</source>
        <translation>Lo que no se puede retirar</translation>
    </message>
    <message>
        <source>Good to know</source>
        <translation>Conviene saberlo</translation>
    </message>
    <message>
        <source>{who} Threads of a shared project cannot be moved out of it, only copied.</source>
        <translation>{who} Las conversaciones de un proyecto compartido no se pueden sacar de él, solo copiar.</translation>
    </message>
    <message>
        <source>Sharing the project…</source>
        <translation>Compartiendo el proyecto…</translation>
    </message>
    <message>
        <source>Sharing of “{name}”</source>
        <translation>Uso compartido de «{name}»</translation>
    </message>
    <message>
        <source>Shared with “{workspace}”. Your role is {role}: {hint}.</source>
        <translation>Compartido con «{workspace}». Tu rol es {role}: {hint}.</translation>
    </message>
    <message>
        <source>Who sees it</source>
        <translation>Quién lo ve</translation>
    </message>
    <message>
        <source>How long messages are kept</source>
        <translation>Cuánto tiempo se conservan los mensajes</translation>
    </message>
    <message>
        <source>Stop sharing…</source>
        <translation>Dejar de compartir…</translation>
    </message>
    <message>
        <source>Leave project…</source>
        <translation>Salir del proyecto…</translation>
    </message>
    <message>
        <source>Stop and erase…</source>
        <translation>Dejar de compartir y borrar…</translation>
    </message>
    <message>
        <source>Invite…</source>
        <translation>Invitar…</translation>
    </message>
    <message>
        <source>Role of {name}</source>
        <translation>Rol de {name}</translation>
    </message>
    <message>
        <source>Member</source>
        <translation>Miembro</translation>
    </message>
    <message>
        <source>A change takes effect at once. People who lose access keep the copy that is on their computer already.</source>
        <translation>Los cambios se aplican al momento. Quien pierde el acceso conserva la copia que ya está en su dispositivo.</translation>
    </message>
    <message>
        <source>Setting how long messages are kept…</source>
        <translation>Estableciendo cuánto tiempo se conservan los mensajes…</translation>
    </message>
    <message>
        <source>Changing the role…</source>
        <translation>Cambiando el rol…</translation>
    </message>
    <message>
        <source>Older messages are being sent.</source>
        <translation>Se están enviando mensajes antiguos.</translation>
    </message>
    <message>
        <source>Everything in it has reached the team.</source>
        <translation>Todo lo que contiene ha llegado al equipo.</translation>
    </message>
    <message>
        <source>Sharing ends for everybody at once.</source>
        <translation>Se deja de compartir para todos al momento.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members can no longer see what is new.</source>
        <comment>{count} other member can no longer see what is new.</comment>
        <translation>
            <numerusform>{count} miembro más dejará de ver lo nuevo.</numerusform>
            <numerusform>{count} miembros más dejarán de ver lo nuevo.</numerusform>
        </translation>
    </message>
    <message>
        <source>Each computer that has it keeps its copy as a private project, this one too; nothing is deleted here.</source>
        <translation>Cada dispositivo que lo tiene conserva su copia como proyecto privado, también este; aquí no se elimina nada.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}”?</source>
        <translation>¿Dejar de compartir «{name}»?</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>Dejar de compartir</translation>
    </message>
    <message>
        <source>You and the others no longer get each other&apos;s messages. The copy on this computer stays, as a private project. To come back, somebody who manages it has to give you a role again.</source>
        <translation>Tú dejas de recibir los mensajes de los demás, y ellos los tuyos. La copia de este dispositivo se queda, como proyecto privado. Para volver, alguien que lo administre tiene que darte un rol de nuevo.</translation>
    </message>
    <message>
        <source>Leave “{name}”?</source>
        <translation>¿Salir de «{name}»?</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Salir</translation>
    </message>
    <message>
        <source>Everything in it is removed: from the server at once, and from every computer when it syncs next, this one too.</source>
        <translation>Se elimina todo lo que contiene: del servidor al momento, y de cada dispositivo la próxima vez que se sincronice, también de este.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members lose it, too.</source>
        <comment>{count} other member loses it, too.</comment>
        <translation>
            <numerusform>{count} miembro más también lo pierde.</numerusform>
            <numerusform>{count} miembros más también lo pierden.</numerusform>
        </translation>
    </message>
    <message>
        <source>What somebody wrote and did not send yet stays with them. This cannot be undone. Backups keep it until they are replaced, and so does anyone who copied or exported it, or left with a private copy.</source>
        <translation>Lo que alguien escribió y aún no envió se queda en su dispositivo. No se puede deshacer. Las copias de seguridad lo conservan hasta que se sustituyan, igual que quien lo copió o exportó, o salió con una copia privada.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}” and erase it for everyone?</source>
        <translation>¿Dejar de compartir «{name}» y borrarlo para todos?</translation>
    </message>
    <message>
        <source>Stop and erase</source>
        <translation>Dejar de compartir y borrar</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes of yours did not reach the team yet and will stay only here.</source>
        <comment>{count} change of yours did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count} cambio tuyo aún no llegó al equipo y se quedará solo aquí.</numerusform>
            <numerusform>{count} cambios tuyos aún no llegaron al equipo y se quedarán solo aquí.</numerusform>
        </translation>
    </message>
    <message>
        <source>Copy text</source>
        <translation>Copiar texto</translation>
    </message>
    <message>
        <source>Team sync: details</source>
        <translation>Sincronización del equipo: detalles</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>Espacio de trabajo</translation>
    </message>
    <message>
        <source>Check against the server</source>
        <translation>Comparar con el servidor</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Cuándo</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Qué</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>Duración</translation>
    </message>
    <message>
        <source>Sync log</source>
        <translation>Registro de sincronización</translation>
    </message>
    <message>
        <source>{count} ms</source>
        <translation>{count} ms</translation>
    </message>
    <message>
        <source>Go on without them…</source>
        <translation>Seguir sin ellos…</translation>
    </message>
    <message numerus="yes">
        <source>Refused: {count} changes</source>
        <comment>Refused: {count} change</comment>
        <translation>
            <numerusform>Rechazado: {count} cambio</numerusform>
            <numerusform>Rechazados: {count} cambios</numerusform>
        </translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Motivo</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Texto</translation>
    </message>
    <message>
        <source>Refused changes</source>
        <translation>Cambios rechazados</translation>
    </message>
    <message>
        <source>The team does not have these, or has something else in their place. They are kept on this computer only, until you forget them.</source>
        <translation>El equipo no los tiene, o tiene otra cosa en su lugar. Se conservan solo en este dispositivo, hasta que los olvides.</translation>
    </message>
    <message>
        <source>Forget…</source>
        <translation>Olvidar…</translation>
    </message>
    <message>
        <source>For the selected changes</source>
        <translation>Para los cambios seleccionados</translation>
    </message>
    <message>
        <source>Asking the server…</source>
        <translation>Preguntando al servidor…</translation>
    </message>
    <message>
        <source>… and {count} more.</source>
        <translation>… y {count} más.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects</source>
        <comment>{count} project</comment>
        <translation>
            <numerusform>{count} proyecto</numerusform>
            <numerusform>{count} proyectos</numerusform>
        </translation>
    </message>
    <message>
        <source>Encrypted, the server proves who it is</source>
        <translation>Cifrado, el servidor demuestra quién es</translation>
    </message>
    <message>
        <source>Not encrypted, for a server on this computer or in a network of your own</source>
        <translation>Sin cifrar, para un servidor en este dispositivo o en una red propia</translation>
    </message>
    <message>
        <source>Connection string</source>
        <translation>Cadena de conexión</translation>
    </message>
    <message>
        <source>Pasted text fills in the fields below.</source>
        <translation>El texto pegado rellena los campos de abajo.</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>Host</translation>
    </message>
    <message>
        <source>User</source>
        <translation>Usuario</translation>
    </message>
    <message>
        <source>An empty database</source>
        <translation>Una base de datos vacía</translation>
    </message>
    <message>
        <source>An account that may create roles</source>
        <translation>Una cuenta que pueda crear roles</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Contraseña</translation>
    </message>
    <message>
        <source>Certificate file…</source>
        <translation>Archivo de certificado…</translation>
    </message>
    <message>
        <source>Certificate of the authority that vouches for the server</source>
        <translation>Certificado de la autoridad que avala el servidor</translation>
    </message>
    <message>
        <source>Certificates that this computer trusts</source>
        <translation>Certificados en los que confía este dispositivo</translation>
    </message>
    <message>
        <source>Paste the connection string of an owner&apos;s account, or fill in the fields.</source>
        <translation>Pega la cadena de conexión de la cuenta de un dueño, o rellena los campos.</translation>
    </message>
    <message>
        <source>Trusted certificates</source>
        <translation>Certificados de confianza</translation>
    </message>
    <message>
        <source>The certificate named in the connection string</source>
        <translation>El certificado indicado en la cadena de conexión</translation>
    </message>
    <message>
        <source>The certificate used so far</source>
        <translation>El certificado usado hasta ahora</translation>
    </message>
    <message>
        <source>Certificate of the authority</source>
        <translation>Certificado de la autoridad</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form. Nothing was changed.</source>
        <translation>{name} no es un certificado en formato PEM. No se cambió nada.</translation>
    </message>
    <message>
        <source>Only what {name} vouches for</source>
        <translation>Solo lo que avala {name}</translation>
    </message>
    <message>
        <source>fine</source>
        <translation>bien</translation>
    </message>
    <message>
        <source>a warning</source>
        <translation>un aviso</translation>
    </message>
    <message>
        <source>Create a workspace</source>
        <translation>Crear un espacio de trabajo</translation>
    </message>
    <message>
        <source>Name of the workspace</source>
        <translation>Nombre del espacio de trabajo</translation>
    </message>
    <message>
        <source>Your name, as the others see it</source>
        <translation>Tu nombre, como lo ven los demás</translation>
    </message>
    <message>
        <source>For example: the name of your team</source>
        <translation>Por ejemplo: el nombre de tu equipo</translation>
    </message>
    <message>
        <source>For example: Ana Lima</source>
        <translation>Por ejemplo: Ana Lima</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>Siguiente</translation>
    </message>
    <message>
        <source>Set up</source>
        <translation>Configurar</translation>
    </message>
    <message>
        <source>Invite people…</source>
        <translation>Invitar a personas…</translation>
    </message>
    <message>
        <source>“{name}” is ready, and you are its owner. Nothing is shared yet: open a project and choose Share…, and invite the people you work with.</source>
        <translation>«{name}» está listo, y eres su propietario. Aún no se comparte nada: abre un proyecto, elige Compartir… e invita a las personas con las que trabajas.</translation>
    </message>
    <message>
        <source>A workspace is a PostgreSQL database, 15 or newer, that your team&apos;s computers share changes through. Give an empty one, and an account that may create roles; its password is used now and not kept.</source>
        <translation>Un espacio de trabajo es una base de datos PostgreSQL, 15 o posterior, con la que los dispositivos de tu equipo comparten los cambios. Indica una vacía y una cuenta que pueda crear roles; su contraseña se usa ahora y no se guarda.</translation>
    </message>
    <message>
        <source>Was the workspace set up by hand? Then sign in with your login.</source>
        <translation>¿El espacio de trabajo se configuró a mano? Entonces inicia sesión con tu cuenta.</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>Iniciar sesión</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>Tu nombre</translation>
    </message>
    <message>
        <source>If setting up is interrupted, set up the same database again: it continues.</source>
        <translation>Si la configuración se interrumpe, configura de nuevo la misma base de datos y continuará.</translation>
    </message>
    <message>
        <source>Looking at the database…</source>
        <translation>Examinando la base de datos…</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>Iniciando sesión…</translation>
    </message>
    <message>
        <source>Setting up the workspace…</source>
        <translation>Configurando el espacio de trabajo…</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>Lo que se encontró</translation>
    </message>
    <message numerus="yes">
        <source>{count} problems must be fixed first.</source>
        <comment>{count} problem must be fixed first.</comment>
        <translation>
            <numerusform>Antes hay que resolver {count} problema.</numerusform>
            <numerusform>Antes hay que resolver {count} problemas.</numerusform>
        </translation>
    </message>
    <message>
        <source>A workspace can be set up here.</source>
        <translation>Aquí se puede configurar un espacio de trabajo.</translation>
    </message>
    <message>
        <source>A computer</source>
        <translation>Un dispositivo</translation>
    </message>
    <message>
        <source>Take off the list…</source>
        <translation>Quitar de la lista…</translation>
    </message>
    <message>
        <source>Code</source>
        <comment>invitation</comment>
        <translation>Código</translation>
    </message>
    <message>
        <source>Copy the code</source>
        <translation>Copiar el código</translation>
    </message>
    <message>
        <source>Save as file…</source>
        <translation>Guardar como archivo…</translation>
    </message>
    <message>
        <source>The code is in the clipboard.</source>
        <translation>El código está en el portapapeles.</translation>
    </message>
    <message>
        <source>The link is in the clipboard.</source>
        <translation>El enlace está en el portapapeles.</translation>
    </message>
    <message>
        <source>Save the invitation</source>
        <translation>Guardar la invitación</translation>
    </message>
    <message>
        <source>Invitations (*{ending})</source>
        <translation>Invitaciones (*{ending})</translation>
    </message>
    <message>
        <source>Saved as {name}. Anyone who has the file can use it, so send it only to them.</source>
        <translation>Guardado como {name}. Quien tenga el archivo puede usarlo, así que envíalo solo a esa persona.</translation>
    </message>
    <message>
        <source>Invite to “{workspace}”</source>
        <translation>Invitar a «{workspace}»</translation>
    </message>
    <message>
        <source>{workspace} invitation</source>
        <translation>Invitación de {workspace}</translation>
    </message>
    <message>
        <source>Who is invited</source>
        <translation>A quién se invita</translation>
    </message>
    <message>
        <source>Can be used for</source>
        <translation>Se puede usar durante</translation>
    </message>
    <message>
        <source>No project is shared yet, or you manage none. They can be given roles later, under Members.</source>
        <translation>Aún no se comparte ningún proyecto, o no administras ninguno. Se le pueden dar roles después, en Miembros.</translation>
    </message>
    <message>
        <source>Make an invitation</source>
        <translation>Crear una invitación</translation>
    </message>
    <message>
        <source>Role in {name}</source>
        <translation>Rol en {name}</translation>
    </message>
    <message>
        <source>Their name; they can change it</source>
        <translation>Su nombre; puede cambiarlo</translation>
    </message>
    <message>
        <source>Days for which the invitation can be used</source>
        <translation>Días durante los que se puede usar la invitación</translation>
    </message>
    <message>
        <source> days</source>
        <translation> días</translation>
    </message>
    <message>
        <source>Send this to {name} and nobody else: the first person who uses it takes that place. It works once, until {day}. They choose Join a workspace in Settings, Team sync.</source>
        <translation>Envía esto a {name} y a nadie más: la primera persona que lo use ocupa ese lugar. Funciona una vez, hasta el {day}. Debe elegir Unirse a un espacio de trabajo en Ajustes, Sincronización del equipo.</translation>
    </message>
    <message>
        <source>Making the invitation…</source>
        <translation>Creando la invitación…</translation>
    </message>
    <message>
        <source>Add a computer of mine</source>
        <translation>Añadir un dispositivo mío</translation>
    </message>
    <message>
        <source>{workspace} my computer</source>
        <translation>{workspace} mi dispositivo</translation>
    </message>
    <message>
        <source>Type this passphrase on the other computer</source>
        <translation>Escribe esta frase de contraseña en el otro dispositivo</translation>
    </message>
    <message>
        <source>Take the code or file to your other computer, choose Join a workspace there, and type the passphrase. It can be used until {day}. The code alone opens nothing; do not send both the same way.</source>
        <translation>Lleva el código o el archivo a tu otro dispositivo, elige allí Unirse a un espacio de trabajo y escribe la frase de contraseña. Se puede usar hasta el {day}. Por sí solo, el código no abre nada; no envíes ambos por el mismo medio.</translation>
    </message>
    <message>
        <source>Invitations (*{ending});;All files (*)</source>
        <translation>Invitaciones (*{ending});;Todos los archivos (*)</translation>
    </message>
    <message>
        <source>Join a workspace</source>
        <translation>Unirse a un espacio de trabajo</translation>
    </message>
    <message>
        <source>Invitation</source>
        <translation>Invitación</translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation>Abrir archivo…</translation>
    </message>
    <message>
        <source>Join anyway: nothing is encrypted on the way</source>
        <translation>Unirse de todos modos: nada va cifrado por el camino</translation>
    </message>
    <message>
        <source>Paste the code or link that you were given, or open its file.</source>
        <translation>Pega el código o el enlace que te dieron, o abre su archivo.</translation>
    </message>
    <message>
        <source>Passphrase that was shown beside the code</source>
        <translation>Frase de contraseña que se mostró junto al código</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>Unirse</translation>
    </message>
    <message>
        <source>{name} cannot be read. Nothing was sent. Ask for the code as text.</source>
        <translation>No se puede leer {name}. No se envió nada. Pide el código como texto.</translation>
    </message>
    <message>
        <source>Open an invitation</source>
        <translation>Abrir una invitación</translation>
    </message>
    <message>
        <source>Joining the workspace…</source>
        <translation>Uniéndose al espacio de trabajo…</translation>
    </message>
    <message>
        <source>Adds this computer to “{workspace}”. You are the same member as on the computer that made the code.</source>
        <translation>Añade este dispositivo a «{workspace}». Eres el mismo miembro que en el dispositivo que creó el código.</translation>
    </message>
    <message>
        <source>You are invited by {name} to “{workspace}”.</source>
        <translation>{name} te invita a «{workspace}».</translation>
    </message>
    <message>
        <source>You are invited to “{workspace}”.</source>
        <translation>Te invitan a «{workspace}».</translation>
    </message>
    <message>
        <source>The database is {address}.</source>
        <translation>La base de datos es {address}.</translation>
    </message>
    <message>
        <source>Projects: {projects}.</source>
        <translation>Proyectos: {projects}.</translation>
    </message>
    <message>
        <source>It expired on {day}. Ask for a new one.</source>
        <translation>Caducó el {day}. Pide una nueva.</translation>
    </message>
    <message>
        <source>It can be used until {day}.</source>
        <translation>Se puede usar hasta el {day}.</translation>
    </message>
    <message>
        <source>It can be used once, until {day}.</source>
        <translation>Se puede usar una vez, hasta el {day}.</translation>
    </message>
    <message>
        <source>The way to this server is not encrypted: anyone on the way can read and change everything. That is fine for a server on this computer or a network that only you use.</source>
        <translation>La conexión con este servidor no está cifrada: cualquiera en el camino puede leer y cambiar todo. Es aceptable para un servidor en este dispositivo o en una red que solo usas tú.</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the password. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>Este dispositivo no tiene un llavero que pueda guardar la contraseña. Guárdala en el archivo de claves cifrado de ChatDesk; su frase de contraseña se introduce una vez tras cada inicio.</translation>
    </message>
    <message>
        <source>Keep it in the file</source>
        <translation>Guardarla en el archivo</translation>
    </message>
    <message>
        <source>The passphrase of the file of keys</source>
        <translation>La frase de contraseña del archivo de claves</translation>
    </message>
    <message>
        <source>Leave “{workspace}”?</source>
        <translation>¿Salir de «{workspace}»?</translation>
    </message>
    <message>
        <source>Its projects stay on this computer, as private copies. Nothing is deleted here or there.</source>
        <translation>Sus proyectos se quedan en este dispositivo, como copias privadas. No se elimina nada aquí ni allí.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes did not reach the team yet and will stay only here.</source>
        <comment>{count} change did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count} cambio aún no llegó al equipo y se quedará solo aquí.</numerusform>
            <numerusform>{count} cambios aún no llegaron al equipo y se quedarán solo aquí.</numerusform>
        </translation>
    </message>
    <message>
        <source>Only on this computer</source>
        <translation>Solo en este dispositivo</translation>
    </message>
    <message>
        <source>For good: end my membership</source>
        <translation>Definitivamente: dejar de ser miembro</translation>
    </message>
    <message>
        <source>You stay a member; a code from another computer of yours brings this one back.</source>
        <translation>Sigues siendo miembro; con un código de otro dispositivo tuyo, este puede volver.</translation>
    </message>
    <message>
        <source>Leaving the workspace…</source>
        <translation>Saliendo del espacio de trabajo…</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Usar</translation>
    </message>
    <message>
        <source>Password for “{workspace}”</source>
        <translation>Contraseña de «{workspace}»</translation>
    </message>
    <message>
        <source>ChatDesk made this password when you joined and keeps it with your keys. If it is lost, ask for a new invitation, or take a code from another computer of yours.</source>
        <translation>ChatDesk creó esta contraseña cuando te uniste y la guarda con tus claves. Si se perdió, pide una invitación nueva, o usa un código de otro dispositivo tuyo.</translation>
    </message>
    <message>
        <source>Trying the password…</source>
        <translation>Probando la contraseña…</translation>
    </message>
    <message>
        <source>Rename the workspace</source>
        <translation>Renombrar el espacio de trabajo</translation>
    </message>
    <message>
        <source>All members see the new name.</source>
        <translation>Todos los miembros ven el nombre nuevo.</translation>
    </message>
    <message>
        <source>Renaming the workspace…</source>
        <translation>Renombrando el espacio de trabajo…</translation>
    </message>
    <message>
        <source>On all of your computers. What you wrote stays with the team; to come back you need an invitation.</source>
        <translation>En todos tus dispositivos. Lo que escribiste se queda con el equipo; para volver necesitas una invitación.</translation>
    </message>
    <message>
        <source>Make somebody else an owner first.</source>
        <translation>Haz antes propietario a otra persona.</translation>
    </message>
    <message>
        <source>Owners invite people, remove members and make others owners.</source>
        <translation>Los propietarios invitan a personas, quitan miembros y hacen propietarios a otros.</translation>
    </message>
    <message>
        <source>End their connections: for somebody whose unfinished change holds up the others</source>
        <translation>Cerrar sus conexiones: para alguien cuyo cambio sin acabar bloquea a los demás</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>Roles</translation>
    </message>
    <message>
        <source>My name…</source>
        <translation>Mi nombre…</translation>
    </message>
    <message>
        <source>Manage…</source>
        <translation>Administrar…</translation>
    </message>
    <message>
        <source>New password…</source>
        <translation>Contraseña nueva…</translation>
    </message>
    <message>
        <source>End their connections</source>
        <translation>Cerrar sus conexiones</translation>
    </message>
    <message>
        <source>Remove from the workspace…</source>
        <translation>Quitar del espacio de trabajo…</translation>
    </message>
    <message>
        <source>Change name</source>
        <translation>Cambiar nombre</translation>
    </message>
    <message>
        <source>Owner of the workspace</source>
        <translation>Propietario del espacio de trabajo</translation>
    </message>
    <message>
        <source>Telling the server…</source>
        <translation>Avisando al servidor…</translation>
    </message>
    <message>
        <source>Changing your name…</source>
        <translation>Cambiando tu nombre…</translation>
    </message>
    <message>
        <source>{people} and {more} more</source>
        <translation>{people} y {more} más</translation>
    </message>
    <message>
        <source>{name} invited {people}. They are still members, with the roles they have. Remove them as well if they came for {name} only; what they wrote stays either way.</source>
        <translation>{name} invitó a {people}. Siguen siendo miembros, con los roles que tienen. Quítalos también si solo vinieron por {name}; lo que escribieron se queda en cualquier caso.</translation>
    </message>
    <message>
        <source>{name} can no longer log in, from any computer, from this moment on. What they wrote stays with the team; what is on their computer already stays there. To have them back, invite them again.</source>
        <translation>{name} ya no puede entrar, desde ningún dispositivo, a partir de este momento. Lo que escribió se queda con el equipo; lo que ya está en su dispositivo se queda allí. Para que vuelva, envíale otra invitación.</translation>
    </message>
    <message>
        <source>This computer gets a new password that nobody sees. Your other computers can no longer log in with the old one: add them again with Add a computer of mine. Nothing is deleted.</source>
        <translation>Este dispositivo recibe una contraseña nueva que nadie ve. Tus otros dispositivos ya no pueden entrar con la anterior: añádelos de nuevo con Añadir un dispositivo mío. No se elimina nada.</translation>
    </message>
    <message>
        <source>This profile was restored or repaired, or a copy of it is in use. ChatDesk does not connect to {address} until you say so; what waits here is sent then.</source>
        <translation>Este perfil se restauró o se reparó, o hay una copia suya en uso. ChatDesk no se conecta a {address} hasta que lo indiques; lo que espera aquí se envía entonces.</translation>
    </message>
    <message>
        <source>Connect again</source>
        <translation>Conectar de nuevo</translation>
    </message>
    <message>
        <source>Give it up</source>
        <translation>Renunciar a él</translation>
    </message>
    <message>
        <source>Give {name} up; its projects stay here as private copies</source>
        <translation>Renunciar a {name}; sus proyectos se quedan aquí como copias privadas</translation>
    </message>
    <message>
        <source>Create another workspace…</source>
        <translation>Crear otro espacio de trabajo…</translation>
    </message>
    <message>
        <source>Join another workspace…</source>
        <translation>Unirse a otro espacio de trabajo…</translation>
    </message>
    <message>
        <source>Work in the same projects with others, or on several computers of yours. Every computer keeps everything and works offline; a PostgreSQL database of yours carries the changes, and no server of ours is involved.</source>
        <translation>Trabaja en los mismos proyectos con otros, o en varios dispositivos tuyos. Cada dispositivo lo conserva todo y funciona sin conexión; una base de datos PostgreSQL tuya transmite los cambios, y no interviene ningún servidor nuestro.</translation>
    </message>
    <message>
        <source>For a team that has none: sets up an empty database that you give, and makes you its owner.</source>
        <translation>Para un equipo que no tiene ninguno: configura una base de datos vacía que indicas y te hace su propietario.</translation>
    </message>
    <message>
        <source>Create a workspace…</source>
        <translation>Crear un espacio de trabajo…</translation>
    </message>
    <message>
        <source>With an invitation: a code, a link or a file that somebody of the team, or another computer of yours, made. Nothing is sent before you have seen what it is.</source>
        <translation>Con una invitación: un código, un enlace o un archivo que creó alguien del equipo u otro dispositivo tuyo. No se envía nada antes de que hayas visto qué es.</translation>
    </message>
    <message>
        <source>Enter the password…</source>
        <translation>Introducir la contraseña…</translation>
    </message>
    <message>
        <source>Details of syncing with {name}</source>
        <translation>Detalles de la sincronización con {name}</translation>
    </message>
    <message>
        <source>{address}, joined {day}</source>
        <translation>{address}, te uniste el {day}</translation>
    </message>
    <message>
        <source>Shared projects</source>
        <translation>Proyectos compartidos</translation>
    </message>
    <message>
        <source>Role and state</source>
        <translation>Rol y estado</translation>
    </message>
    <message>
        <source>Sharing…</source>
        <translation>Uso compartido…</translation>
    </message>
    <message>
        <source>None yet. Open a project and choose Share… in its menu; only what you share leaves this computer.</source>
        <translation>Aún ninguno. Abre un proyecto y elige Compartir… en su menú; solo lo que compartes sale de este dispositivo.</translation>
    </message>
    <message>
        <source>Members</source>
        <translation>Miembros</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>Dispositivos</translation>
    </message>
    <message>
        <source>Computer</source>
        <translation>Dispositivo</translation>
    </message>
    <message>
        <source>About</source>
        <translation>Detalles</translation>
    </message>
    <message>
        <source>somebody</source>
        <translation>alguien</translation>
    </message>
    <message>
        <source>Add a computer of mine…</source>
        <translation>Añadir un dispositivo mío…</translation>
    </message>
    <message>
        <source>Address…</source>
        <translation>Dirección…</translation>
    </message>
    <message>
        <source>Address of the server of {name}</source>
        <translation>Dirección del servidor de {name}</translation>
    </message>
    <message>
        <source>Leave…</source>
        <translation>Salir…</translation>
    </message>
    <message>
        <source>Invite somebody to {name}</source>
        <translation>Invitar a alguien a {name}</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Renombrar…</translation>
    </message>
    <message>
        <source>That computer can no longer sync under this name; what is on it stays there. If it was lost, also make a new password under My name, and add your other computers again.</source>
        <translation>Ese dispositivo ya no puede sincronizarse con este nombre; lo que hay en él se queda allí. Si se perdió, crea también una contraseña nueva en Mi nombre y añade de nuevo tus otros dispositivos.</translation>
    </message>
    <message>
        <source>A project that is not here yet</source>
        <translation>Un proyecto que aún no está aquí</translation>
    </message>
    <message>
        <source>Share…</source>
        <translation>Compartir…</translation>
    </message>
    <message>
        <source>Keep messages</source>
        <translation>Conservar mensajes</translation>
    </message>
    <message>
        <source>Older messages are erased for everybody, about once a day; that cannot be undone.</source>
        <translation>Los mensajes más antiguos se borran para todos, más o menos una vez al día; no se puede deshacer.</translation>
    </message>
    <message>
        <source>Days for which messages are kept</source>
        <translation>Días que se conservan los mensajes</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Establecer</translation>
    </message>
    <message>
        <source>Set how long messages are kept</source>
        <translation>Establecer cuánto tiempo se conservan los mensajes</translation>
    </message>
    <message>
        <source>Other…</source>
        <translation>Otro plazo…</translation>
    </message>
    <message>
        <source>For ever</source>
        <translation>Para siempre</translation>
    </message>
    <message numerus="yes">
        <source>For {count} days</source>
        <comment>For {count} day</comment>
        <translation>
            <numerusform>{count} día</numerusform>
            <numerusform>{count} días</numerusform>
        </translation>
    </message>
    <message>
        <source>Messages are kept for ever.</source>
        <translation>Los mensajes se conservan para siempre.</translation>
    </message>
    <message numerus="yes">
        <source>Messages are kept for {count} days.</source>
        <comment>Messages are kept for {count} day.</comment>
        <translation>
            <numerusform>Los mensajes se conservan {count} día.</numerusform>
            <numerusform>Los mensajes se conservan {count} días.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Messages that are older than {count} days are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</source>
        <comment>Messages that are older than {count} day are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</comment>
        <translation>
            <numerusform>Los mensajes de más de {count} día se borran para todos, ahora y en adelante: del servidor, y de cada dispositivo la próxima vez que se sincronice. No se puede deshacer. Las copias de seguridad, las copias privadas y lo que alguien copió en otro lugar los conservan.</numerusform>
            <numerusform>Los mensajes de más de {count} días se borran para todos, ahora y en adelante: del servidor, y de cada dispositivo la próxima vez que se sincronice. No se puede deshacer. Las copias de seguridad, las copias privadas y lo que alguien copió en otro lugar los conservan.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Keep messages of “{name}” for {count} days only?</source>
        <comment>Keep messages of “{name}” for {count} day only?</comment>
        <translation>
            <numerusform>¿Conservar los mensajes de «{name}» solo {count} día?</numerusform>
            <numerusform>¿Conservar los mensajes de «{name}» solo {count} días?</numerusform>
        </translation>
    </message>
    <message>
        <source>Erase what is older</source>
        <translation>Borrar lo más antiguo</translation>
    </message>
    <message>
        <source>No access</source>
        <translation>Sin acceso</translation>
    </message>
    <message>
        <source>{role}: {rights}.</source>
        <translation>{role}: {rights}.</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>Rol</translation>
    </message>
    <message>
        <source>{what} and role</source>
        <translation>{what} y rol</translation>
    </message>
    <message>
        <source>Where “{workspace}” is reached</source>
        <translation>Dónde se encuentra «{workspace}»</translation>
    </message>
    <message>
        <source>For a server that moved, or has another name now. ChatDesk first checks that this workspace is there. Your login stays; your other computers and the other members move for themselves.</source>
        <translation>Para un servidor que se trasladó, o que ahora tiene otro nombre. ChatDesk comprueba antes que este espacio de trabajo está allí. Tu cuenta no cambia; tus otros dispositivos y los demás miembros cambian la dirección por su lado.</translation>
    </message>
    <message>
        <source>Use this address</source>
        <translation>Usar esta dirección</translation>
    </message>
    <message>
        <source>Looking for the workspace…</source>
        <translation>Buscando el espacio de trabajo…</translation>
    </message>
    <message>
        <source>Viewer</source>
        <translation>Lector</translation>
    </message>
    <message>
        <source>Editor</source>
        <translation>Editor</translation>
    </message>
    <message>
        <source>Admin</source>
        <translation>Administrador</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>Propietario</translation>
    </message>
    <message>
        <source>reads</source>
        <translation>lee</translation>
    </message>
    <message>
        <source>reads and writes, changes and deletes their own</source>
        <translation>lee y escribe, cambia y elimina lo suyo</translation>
    </message>
    <message>
        <source>changes and deletes everything, and manages members</source>
        <translation>cambia y elimina todo, y administra a los miembros</translation>
    </message>
    <message>
        <source>does everything, and may end the sharing for everybody</source>
        <translation>hace todo y puede dejar de compartirlo para todos</translation>
    </message>
    <message>
        <source>Only projects that you share leave this computer: their threads, messages, attachments and summaries. Keys, drafts, pins, the prompt library and everything else stay here.</source>
        <translation>Solo los proyectos que compartes salen de este dispositivo: sus conversaciones, mensajes, adjuntos y resúmenes. Las claves, los borradores, lo fijado, la biblioteca de prompts y todo lo demás se quedan aquí.</translation>
    </message>
    <message>
        <source>What others have read, copied or exported, and private copies of those who leave. Threads and messages can be erased for everyone later, on the server and on each computer when it syncs; backups keep them until they are replaced. Stopping to share removes nothing from the server unless you choose to erase the project.</source>
        <translation>Lo que otros han leído, copiado o exportado, y las copias privadas de quienes salen. Las conversaciones y los mensajes se pueden borrar para todos más tarde, en el servidor y en cada dispositivo cuando se sincronice; las copias de seguridad los conservan hasta que se sustituyan. Dejar de compartir no quita nada del servidor, salvo que elijas borrar el proyecto.</translation>
    </message>
    <message>
        <source>This version of ChatDesk brings a newer form of the team&apos;s database. Everyone can go on working with the present one until you upgrade it: &apos;chatdesk team upgrade&apos;.</source>
        <translation>Esta versión de ChatDesk trae una forma más nueva de la base de datos del equipo. Todos pueden seguir trabajando con la actual hasta que la actualices: «chatdesk team upgrade».</translation>
    </message>
    <message>
        <source>Anyone who administers the database can read all that is shared, whatever roles people have.</source>
        <translation>Quien administra la base de datos puede leer todo lo que se comparte, sean cuales sean los roles.</translation>
    </message>
    <message>
        <source>Shared with you again; choose Share… to send this copy</source>
        <translation>Compartido contigo de nuevo; elige Compartir… para enviar esta copia</translation>
    </message>
    <message>
        <source>being sent</source>
        <translation>enviándose</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes refused</source>
        <comment>{count} change refused</comment>
        <translation>
            <numerusform>{count} cambio rechazado</numerusform>
            <numerusform>{count} cambios rechazados</numerusform>
        </translation>
    </message>
    <message>
        <source>not in sync: what the server has does not fit</source>
        <translation>sin sincronizar: lo que tiene el servidor no encaja</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments ({size})</source>
        <comment>{count} attachment ({size})</comment>
        <translation>
            <numerusform>{count} adjunto ({size})</numerusform>
            <numerusform>{count} adjuntos ({size})</numerusform>
        </translation>
    </message>
    <message>
        <source>{parts} are sent now; what is written later is sent by itself.</source>
        <translation>Ahora se envía: {parts}. Lo que se escriba después se envía solo.</translation>
    </message>
    <message>
        <source>Removed; what they wrote stays</source>
        <translation>Quitado; lo que escribió se queda</translation>
    </message>
    <message>
        <source>you</source>
        <comment>beside a name</comment>
        <translation>tú</translation>
    </message>
    <message numerus="yes">
        <source>{count} connections of {name} were ended. The server dropped what was unfinished; their computer sends it again.</source>
        <comment>{count} connection of {name} was ended. The server dropped what was unfinished; their computer sends it again.</comment>
        <translation>
            <numerusform>Se cerró {count} conexión de {name}. El servidor descartó lo que estaba sin terminar; su dispositivo lo envía de nuevo.</numerusform>
            <numerusform>Se cerraron {count} conexiones de {name}. El servidor descartó lo que estaba sin terminar; su dispositivo lo envía de nuevo.</numerusform>
        </translation>
    </message>
    <message>
        <source>you</source>
        <translation>ti</translation>
    </message>
    <message>
        <source>owner of the workspace</source>
        <translation>propietario del espacio de trabajo</translation>
    </message>
    <message>
        <source>invited, has not joined yet</source>
        <translation>invitado, aún no se ha unido</translation>
    </message>
    <message>
        <source>invited on {day}, has not joined yet</source>
        <translation>invitado el {day}, aún no se ha unido</translation>
    </message>
    <message>
        <source>in no project of yours</source>
        <translation>en ningún proyecto tuyo</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>este dispositivo</translation>
    </message>
    <message>
        <source>never connected</source>
        <translation>nunca se conectó</translation>
    </message>
    <message>
        <source>connected now</source>
        <translation>conectado ahora</translation>
    </message>
    <message>
        <source>last connected {moment}</source>
        <translation>última conexión: {moment}</translation>
    </message>
    <message>
        <source>Nothing was new.</source>
        <translation>No había nada nuevo.</translation>
    </message>
    <message>
        <source>{sent} sent, {received} received.</source>
        <translation>{sent} enviados, {received} recibidos.</translation>
    </message>
    <message>
        <source>{database} on {host}</source>
        <translation>{database} en {host}</translation>
    </message>
    <message numerus="yes">
        <source>{count} people {name} invited were removed.</source>
        <comment>{count} person {name} invited was removed.</comment>
        <translation>
            <numerusform>Se quitó a {count} persona invitada por {name}.</numerusform>
            <numerusform>Se quitó a {count} personas invitadas por {name}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Everything in it stays on this computer as a private copy.</source>
        <translation>Todo lo que contiene se queda en este dispositivo como copia privada.</translation>
    </message>
    <message>
        <source>What you had not sent is in your own project.</source>
        <translation>Lo que no habías enviado está en tu propio proyecto.</translation>
    </message>
    <message>
        <source>shared, you can only read</source>
        <translation>compartido, solo puedes leer</translation>
    </message>
    <message>
        <source>shared</source>
        <translation>compartido</translation>
    </message>
    <message>
        <source>shared, you manage it</source>
        <translation>compartido, tú lo administras</translation>
    </message>
    <message>
        <source>shared by you</source>
        <translation>compartido por ti</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes in this thread were not taken by the team&apos;s server, so only you see them. Press the line below the threads to read why, to copy them out or to try again.</source>
        <comment>{count} change in this thread was not taken by the team&apos;s server, so only you see it. Press the line below the threads to read why, to copy it out or to try again.</comment>
        <translation>
            <numerusform>El servidor del equipo no aceptó {count} cambio de esta conversación, así que solo lo ves tú. Pulsa la línea bajo las conversaciones para leer por qué, copiarlo o intentarlo de nuevo.</numerusform>
            <numerusform>El servidor del equipo no aceptó {count} cambios de esta conversación, así que solo los ves tú. Pulsa la línea bajo las conversaciones para leer por qué, copiarlos o intentarlo de nuevo.</numerusform>
        </translation>
    </message>
    <message>
        <source>“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose Share… in its menu, and that goes up too.</source>
        <translation>«{name}» vuelve a estar disponible para ti. No se envió nada de él, porque entretanto escribiste en tu propia copia: elige Compartir… en su menú y también se enviará.</translation>
    </message>
    <message>
        <source>You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and what you write there now waits here. To come back, ask its owner for a new invitation.</source>
        <translation>Ya no eres miembro de «{workspace}». Sus proyectos se quedan en este dispositivo con todo lo que contienen, y lo que escribas allí ahora espera aquí. Para volver, pide una invitación nueva a su propietario.</translation>
    </message>
    <message>
        <source>“{workspace}”: {problem} {next_step} Nothing that you write is lost meanwhile.</source>
        <translation>«{workspace}»: {problem} {next_step} Mientras tanto no se pierde nada de lo que escribes.</translation>
    </message>
    <message>
        <source>You can read this project; ask {name} to let you write.</source>
        <translation>Puedes leer este proyecto; pide a {name} que te deje escribir.</translation>
    </message>
    <message>
        <source>You can read this project; ask its owner to let you write.</source>
        <translation>Puedes leer este proyecto; pide a su propietario que te deje escribir.</translation>
    </message>
    <message>
        <source>Another member</source>
        <translation>Otro miembro</translation>
    </message>
    <message numerus="yes">
        <source>{first}, {second} and {count} others</source>
        <comment>{first}, {second} and {count} other</comment>
        <translation>
            <numerusform>{first}, {second} y {count} más</numerusform>
            <numerusform>{first}, {second} y {count} más</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{names} wrote {count} messages</source>
        <comment>{names} wrote a message</comment>
        <translation>
            <numerusform>Mensaje nuevo de {names}</numerusform>
            <numerusform>{count} mensajes nuevos de {names}</numerusform>
        </translation>
    </message>
    <message>
        <source>A project</source>
        <translation>Un proyecto</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written in the folder. What you write waits on this computer.</source>
        <translation>En pausa: no se lee ni se escribe nada en la carpeta. Lo que escribes espera en este dispositivo.</translation>
    </message>
    <message>
        <source>This profile was restored, or a copy of it is in use, so it does not exchange anything. All chats are kept. Join again with the recovery phrase, or forget the folder.</source>
        <translation>Este perfil se restauró, o se usa una copia suya, así que no intercambia nada. Todos los chats se conservan. Vuelve a unirte con la frase de recuperación, u olvida la carpeta.</translation>
    </message>
    <message>
        <source>Your chats are being written into the folder. Join it on your other computers.</source>
        <translation>Tus chats se están escribiendo en la carpeta. Únete a ella en tus otros dispositivos.</translation>
    </message>
    <message>
        <source>This computer has joined. What the others have comes in now.</source>
        <translation>Este dispositivo se ha unido. Ahora llega lo que tienen los demás.</translation>
    </message>
    <message>
        <source>Syncing.</source>
        <translation>Sincronizando.</translation>
    </message>
    <message>
        <source>Not everything is in the folder yet.</source>
        <translation>Aún no está todo en la carpeta.</translation>
    </message>
    <message>
        <source>All chats stay here. The folder stays as it is, for your other computers; nobody can read it without the phrase, with which you can join again.</source>
        <translation>Todos los chats se quedan aquí. La carpeta se queda como está para tus otros dispositivos; nadie puede leerla sin la frase, con la que puedes volver a unirte.</translation>
    </message>
    <message>
        <source>Forget the folder?</source>
        <translation>¿Olvidar la carpeta?</translation>
    </message>
    <message>
        <source>Forget it</source>
        <translation>Olvidarla</translation>
    </message>
    <message>
        <source>This computer has left {folder}. All chats are kept.</source>
        <translation>Este dispositivo ha salido de {folder}. Todos los chats se conservan.</translation>
    </message>
    <message>
        <source>Its chats and those of this computer are merged when you join; nothing is lost.</source>
        <translation>Sus chats y los de este dispositivo se combinan cuando te unes; no se pierde nada.</translation>
    </message>
    <message>
        <source>The phrase is still shown here.</source>
        <translation>La frase sigue mostrándose aquí.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the phrase.</source>
        <translation>Elige otra carpeta o copia la frase.</translation>
    </message>
    <message>
        <source>Saved as {name}. Print it, or keep it where only you can read it.</source>
        <translation>Guardada como {name}. Imprímela, o consérvala donde solo tú puedas leerla.</translation>
    </message>
    <message>
        <source>Go on without them</source>
        <translation>Seguir sin ellos</translation>
    </message>
    <message numerus="yes">
        <source>The text of {count} changes is in the clipboard.</source>
        <comment>The text of {count} change is in the clipboard.</comment>
        <translation>
            <numerusform>El texto de {count} cambio está en el portapapeles.</numerusform>
            <numerusform>El texto de {count} cambios está en el portapapeles.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Forget {count} refused changes?</source>
        <comment>Forget {count} refused change?</comment>
        <translation>
            <numerusform>¿Olvidar {count} cambio rechazado?</numerusform>
            <numerusform>¿Olvidar {count} cambios rechazados?</numerusform>
        </translation>
    </message>
    <message>
        <source>What the server refused is no longer shown and cannot be sent again. Copy the text first if you need it.</source>
        <translation>Lo que el servidor rechazó deja de mostrarse y no se puede enviar de nuevo. Copia antes el texto si lo necesitas.</translation>
    </message>
    <message>
        <source>Sync is off</source>
        <translation>Sincronización desactivada</translation>
    </message>
    <message>
        <source>Sync is off.</source>
        <translation>La sincronización está desactivada.</translation>
    </message>
    <message>
        <source>Synced</source>
        <translation>Sincronizado</translation>
    </message>
    <message>
        <source>Synced.</source>
        <translation>Sincronizado.</translation>
    </message>
    <message>
        <source>Syncing…</source>
        <translation>Sincronizando…</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Conectando…</translation>
    </message>
    <message>
        <source>Connecting.</source>
        <translation>Conectando.</translation>
    </message>
    <message>
        <source>Offline echo</source>
        <translation>Eco sin conexión</translation>
    </message>
    <message>
        <source>the offline model</source>
        <translation>la demostración sin conexión</translation>
    </message>
    <message>
        <source>The offline model</source>
        <translation>La demostración sin conexión</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>Sin conexión</translation>
    </message>
    <message>
        <source>The offline model pretends to be busy.</source>
        <translation>La demostración sin conexión finge estar ocupada.</translation>
    </message>
    <message>
        <source>Offline: the team&apos;s database cannot be reached.</source>
        <translation>Sin conexión: no se puede contactar con la base de datos del equipo.</translation>
    </message>
    <message>
        <source>Update ChatDesk to send</source>
        <translation>Actualiza ChatDesk para enviar</translation>
    </message>
    <message>
        <source>This ChatDesk is too old to send changes; it still receives those of others.</source>
        <translation>Este ChatDesk es demasiado antiguo para enviar cambios; sigue recibiendo los de otros.</translation>
    </message>
    <message>
        <source>Refused by the team&apos;s server</source>
        <translation>Rechazado por el servidor del equipo</translation>
    </message>
    <message>
        <source>The team&apos;s database did not let this computer in.</source>
        <translation>La base de datos del equipo no aceptó este dispositivo.</translation>
    </message>
    <message>
        <source>Synced at {moment}.</source>
        <translation>Sincronizado: {moment}.</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}.</source>
        <translation>Sincronizando {done} de {total}.</translation>
    </message>
    <message>
        <source>Synced last at {moment}.</source>
        <translation>Última sincronización: {moment}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes were refused.</source>
        <comment>{count} change was refused.</comment>
        <translation>
            <numerusform>Se rechazó {count} cambio.</numerusform>
            <numerusform>Se rechazaron {count} cambios.</numerusform>
        </translation>
    </message>
    <message>
        <source>The next try is at {moment}.</source>
        <translation>El próximo intento: {moment}.</translation>
    </message>
    <message>
        <source>never</source>
        <translation>nunca</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}</source>
        <translation>Sincronizando {done} de {total}</translation>
    </message>
    <message>
        <source>Synced {time}</source>
        <translation>Sincronizado {time}</translation>
    </message>
    <message>
        <source>Refused: {problem}</source>
        <translation>Rechazado: {problem}</translation>
    </message>
    <message numerus="yes">
        <source>Sending {count} changes</source>
        <comment>Sending {count} change</comment>
        <translation>
            <numerusform>Enviando {count} cambio</numerusform>
            <numerusform>Enviando {count} cambios</numerusform>
        </translation>
    </message>
    <message>
        <source>{words}.</source>
        <translation>{words}.</translation>
    </message>
    <message>
        <source>Change how the project is shared…</source>
        <translation>Cambiar cómo se comparte el proyecto…</translation>
    </message>
    <message>
        <source>Share project…</source>
        <translation>Compartir proyecto…</translation>
    </message>
    <message>
        <source>The others see you as {name} from the next sync on.</source>
        <translation>Los demás te verán como {name} a partir de la próxima sincronización.</translation>
    </message>
    <message>
        <source>{name} was removed, and can no longer log in.</source>
        <translation>Se quitó a {name}, que ya no puede entrar.</translation>
    </message>
    <message>
        <source>Remove {name} from the workspace?</source>
        <translation>¿Quitar a {name} del espacio de trabajo?</translation>
    </message>
    <message>
        <source>Removing the member…</source>
        <translation>Quitando al miembro…</translation>
    </message>
    <message>
        <source>Remove the people {name} invited?</source>
        <translation>¿Quitar a las personas invitadas por {name}?</translation>
    </message>
    <message>
        <source>Remove them</source>
        <translation>Quitarlas</translation>
    </message>
    <message>
        <source>This computer has a new password. Add your other computers again.</source>
        <translation>Este dispositivo tiene una contraseña nueva. Añade de nuevo tus otros dispositivos.</translation>
    </message>
    <message>
        <source>Make a new password?</source>
        <translation>¿Crear una contraseña nueva?</translation>
    </message>
    <message>
        <source>New password</source>
        <translation>Contraseña nueva</translation>
    </message>
    <message>
        <source>Changing the password…</source>
        <translation>Cambiando la contraseña…</translation>
    </message>
    <message>
        <source>Taking the computer off the list…</source>
        <translation>Quitando el dispositivo de la lista…</translation>
    </message>
    <message>
        <source>{name} is off the list.</source>
        <translation>{name} ya no está en la lista.</translation>
    </message>
    <message>
        <source>Take {name} off the list?</source>
        <translation>¿Quitar {name} de la lista?</translation>
    </message>
    <message>
        <source>Take off</source>
        <translation>Quitar de la lista</translation>
    </message>
    <message>
        <source>The workspace is called “{name}” now.</source>
        <translation>El espacio de trabajo se llama ahora «{name}».</translation>
    </message>
    <message>
        <source>You left “{name}”. Its projects are private copies now.</source>
        <translation>Saliste de «{name}». Sus proyectos son ahora copias privadas.</translation>
    </message>
    <message>
        <source>You are in “{name}” again.</source>
        <translation>Estás de nuevo en «{name}».</translation>
    </message>
    <message>
        <source>You left the workspace. Its projects are private copies now.</source>
        <translation>Saliste del espacio de trabajo. Sus proyectos son ahora copias privadas.</translation>
    </message>
    <message>
        <source>This computer is in no workspace.</source>
        <translation>Este dispositivo no está en ningún espacio de trabajo.</translation>
    </message>
    <message>
        <source>Create or join one in Settings, Team sync.</source>
        <translation>Crea uno o únete a uno en Ajustes, Sincronización del equipo.</translation>
    </message>
    <message>
        <source>The file could not be written: {why}.</source>
        <translation>No se pudo escribir el archivo: {why}.</translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation>Operación no permitida</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>No existe el archivo o la carpeta</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>Error de entrada/salida</translation>
    </message>
    <message>
        <source>Cannot allocate memory</source>
        <translation>No hay memoria suficiente</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>Permiso denegado</translation>
    </message>
    <message>
        <source>Device or resource busy</source>
        <translation>Dispositivo o recurso ocupado</translation>
    </message>
    <message>
        <source>File exists</source>
        <translation>El archivo ya existe</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>No es una carpeta</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>Es una carpeta</translation>
    </message>
    <message>
        <source>Invalid argument</source>
        <translation>Argumento no válido</translation>
    </message>
    <message>
        <source>Too many open files</source>
        <translation>Demasiados archivos abiertos</translation>
    </message>
    <message>
        <source>File too large</source>
        <translation>Archivo demasiado grande</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>No queda espacio en el dispositivo</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>Sistema de archivos de solo lectura</translation>
    </message>
    <message>
        <source>Broken pipe</source>
        <translation>Tubería rota</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>Nombre de archivo demasiado largo</translation>
    </message>
    <message>
        <source>Directory not empty</source>
        <translation>La carpeta no está vacía</translation>
    </message>
    <message>
        <source>Too many levels of symbolic links</source>
        <translation>Demasiados enlaces simbólicos seguidos</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>Cuota de disco superada</translation>
    </message>
    <message>
        <source>Address already in use</source>
        <translation>La dirección ya está en uso</translation>
    </message>
    <message>
        <source>Cannot assign requested address</source>
        <translation>No se puede asignar la dirección</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>La red no está accesible</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>No hay ruta hasta el servidor</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>Conexión rechazada</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>El otro extremo cerró la conexión</translation>
    </message>
    <message>
        <source>Connection timed out</source>
        <translation>Se agotó el tiempo de la conexión</translation>
    </message>
    <message>
        <source>the system refused</source>
        <translation>el sistema lo rechazó</translation>
    </message>
    <message>
        <source>The code is still shown here.</source>
        <translation>El código aún se muestra aquí.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the code.</source>
        <translation>Elige otra carpeta o copia el código.</translation>
    </message>
    <message>
        <source>The workspace “{name}” is ready.</source>
        <translation>El espacio de trabajo «{name}» está listo.</translation>
    </message>
    <message>
        <source>You are in “{name}”.</source>
        <translation>Estás en «{name}».</translation>
    </message>
    <message>
        <source>{name} cannot be read as an invitation.</source>
        <translation>{name} no se puede leer como invitación.</translation>
    </message>
    <message>
        <source>Ask for the code as text.</source>
        <translation>Pide el código como texto.</translation>
    </message>
    <message>
        <source>You are in “{name}” as {member}. What is shared with you comes in now.</source>
        <translation>Estás en «{name}» como {member}. Lo que se comparte contigo está llegando.</translation>
    </message>
    <message>
        <source>Opening the file of keys…</source>
        <translation>Abriendo el archivo de claves…</translation>
    </message>
    <message>
        <source>“{name}” and {more} more of “{workspace}” have arrived.</source>
        <translation>«{name}» y {more} más de «{workspace}» ya están aquí.</translation>
    </message>
    <message>
        <source>“{name}” of “{workspace}” has arrived.</source>
        <translation>«{name}» de «{workspace}» ya está aquí.</translation>
    </message>
    <message>
        <source>This computer now uses {address} for “{name}”.</source>
        <translation>Este dispositivo usa ahora {address} para «{name}».</translation>
    </message>
    <message>
        <source>To share a project, create a workspace or join one first.</source>
        <translation>Para compartir un proyecto, antes crea un espacio de trabajo o únete a uno.</translation>
    </message>
    <message>
        <source>“{name}” is shared. The line below the threads shows how much has been sent.</source>
        <translation>«{name}» está compartido. La línea bajo las conversaciones muestra cuánto se ha enviado.</translation>
    </message>
    <message>
        <source>That project is no longer shared.</source>
        <translation>Ese proyecto ya no está compartido.</translation>
    </message>
    <message>
        <source>“{name}” is a private project on this computer now.</source>
        <translation>«{name}» es ahora un proyecto privado en este dispositivo.</translation>
    </message>
    <message>
        <source>Try again in a while.</source>
        <translation>Inténtalo de nuevo en un rato.</translation>
    </message>
    <message>
        <source>This is nested too deeply.</source>
        <translation>Esto tiene demasiados niveles anidados.</translation>
    </message>
    <message>
        <source>This is not valid JSON in line {number}.</source>
        <translation>Esto no es JSON válido en la línea {number}.</translation>
    </message>
    <message>
        <source>This is not valid JSON.</source>
        <translation>Esto no es JSON válido.</translation>
    </message>
    <message>
        <source>Arguments are a JSON object: { … }.</source>
        <translation>Los argumentos son un objeto JSON: { … }.</translation>
    </message>
    <message>
        <source>1 of {count}</source>
        <translation>1 de {count}</translation>
    </message>
    <message>
        <source>Review proposed changes</source>
        <translation>Revisar los cambios propuestos</translation>
    </message>
    <message>
        <source>Review the proposed change</source>
        <translation>Revisar el cambio propuesto</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Archivo</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>Rechazar</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>Aplicar</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added, {removed} removed</source>
        <comment>{count} line added, {removed} removed</comment>
        <translation>
            <numerusform>{count} línea añadida, {removed} quitadas</numerusform>
            <numerusform>{count} líneas añadidas, {removed} quitadas</numerusform>
        </translation>
    </message>
    <message>
        <source>This text has characters that hide, so it is edited in an editor.</source>
        <translation>Este texto tiene caracteres ocultos, así que se edita en un editor.</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Diferencia</translation>
    </message>
    <message>
        <source>Applied: {path}</source>
        <translation>Aplicado: {path}</translation>
    </message>
    <message>
        <source>Rejected: {path}</source>
        <translation>Rechazado: {path}</translation>
    </message>
    <message>
        <source>Undone: {path}</source>
        <translation>Deshecho: {path}</translation>
    </message>
    <message>
        <source>change a file</source>
        <translation>cambiar un archivo</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer.</source>
        <translation>Este cambio no se propuso en este dispositivo.</translation>
    </message>
    <message>
        <source>This change is not applied.</source>
        <translation>Este cambio no está aplicado.</translation>
    </message>
    <message>
        <source>This change is already applied.</source>
        <translation>Este cambio ya está aplicado.</translation>
    </message>
    <message>
        <source>This change was rejected.</source>
        <translation>Este cambio se rechazó.</translation>
    </message>
    <message>
        <source>The file is no longer the one that this change was made from.</source>
        <translation>El archivo ya no es el mismo que sirvió de base a este cambio.</translation>
    </message>
    <message>
        <source>The file was changed after this change was applied.</source>
        <translation>El archivo se cambió después de aplicar este cambio.</translation>
    </message>
    <message>
        <source>The project has no folder on this computer, or another one by now.</source>
        <translation>El proyecto no tiene carpeta en este dispositivo, o ahora tiene otra.</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer, or too long ago.</source>
        <translation>Este cambio no se propuso en este dispositivo, o fue hace demasiado tiempo.</translation>
    </message>
    <message>
        <source>Name a file.</source>
        <translation>Indica un archivo.</translation>
    </message>
    <message>
        <source>This change is too large to review, or has lines that are too long.</source>
        <translation>Este cambio es demasiado grande para revisarlo, o tiene líneas demasiado largas.</translation>
    </message>
    <message>
        <source>Propose it in smaller steps.</source>
        <translation>Propónlo en pasos más pequeños.</translation>
    </message>
    <message>
        <source>The change could not be kept: {reason}.</source>
        <translation>No se pudo guardar el cambio: {reason}.</translation>
    </message>
    <message>
        <source>No file was changed.</source>
        <translation>No se cambió ningún archivo.</translation>
    </message>
    <message>
        <source>The file has this text already.</source>
        <translation>El archivo ya tiene este texto.</translation>
    </message>
    <message>
        <source>The files that are kept of this change cannot be read or written.</source>
        <translation>Los archivos que se guardan de este cambio no se pueden leer ni escribir.</translation>
    </message>
    <message>
        <source>Ask the model to propose it again.</source>
        <translation>Pide al modelo que lo proponga de nuevo.</translation>
    </message>
    <message>
        <source>Ask the model to propose it here.</source>
        <translation>Pide al modelo que lo proponga aquí.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers</source>
        <comment>{count} tool server</comment>
        <translation>
            <numerusform>{count} servidor de herramientas</numerusform>
            <numerusform>{count} servidores de herramientas</numerusform>
        </translation>
    </message>
    <message>
        <source>Tools in this thread: {names}</source>
        <translation>Herramientas en esta conversación: {names}</translation>
    </message>
    <message>
        <source>Folder: {folder}</source>
        <translation>Carpeta: {folder}</translation>
    </message>
    <message>
        <source>As in the project</source>
        <translation>Como en el proyecto</translation>
    </message>
    <message>
        <source>Use these in the whole project</source>
        <translation>Usar estas en todo el proyecto</translation>
    </message>
    <message>
        <source>Tool servers…</source>
        <translation>Servidores de herramientas…</translation>
    </message>
    <message>
        <source>{name} of {server} waits for your approval: Ctrl+Shift+Y.</source>
        <translation>{name} de {server} espera tu aprobación: Ctrl+Mayús+Y.</translation>
    </message>
    <message>
        <source>{name} waits for your approval in another thread.</source>
        <translation>{name} espera tu aprobación en otra conversación.</translation>
    </message>
    <message>
        <source>Allow in this project</source>
        <translation>Permitir en este proyecto</translation>
    </message>
    <message>
        <source>Always allow</source>
        <translation>Permitir siempre</translation>
    </message>
    <message>
        <source>Allow in this thread</source>
        <translation>Permitir en esta conversación</translation>
    </message>
    <message>
        <source>Allow in this thread, it only reads</source>
        <translation>Permitir en esta conversación, solo lee</translation>
    </message>
    <message>
        <source>Allow in this project, it only reads</source>
        <translation>Permitir en este proyecto, solo lee</translation>
    </message>
    <message>
        <source>Always allow, it only reads</source>
        <translation>Permitir siempre, solo lee</translation>
    </message>
    <message>
        <source>Deny</source>
        <translation>Denegar</translation>
    </message>
    <message>
        <source>Allow once</source>
        <translation>Permitir una vez</translation>
    </message>
    <message>
        <source>Allow for longer…</source>
        <translation>Permitir más tiempo…</translation>
    </message>
    <message>
        <source>You say that it changes and sends nothing, so it also runs after text from outside.</source>
        <translation>Indicas que no cambia ni envía nada, así que también se ejecuta después de texto externo.</translation>
    </message>
    <message>
        <source>Run “{name}” of {server}?</source>
        <translation>¿Ejecutar «{name}» de {server}?</translation>
    </message>
    <message>
        <source>{what}?</source>
        <translation>¿{what}?</translation>
    </message>
    <message>
        <source>Arguments of {name}</source>
        <translation>Argumentos de {name}</translation>
    </message>
    <message numerus="yes">
        <source>{count} more characters are not shown, but would be sent.</source>
        <comment>{count} more character is not shown, but would be sent.</comment>
        <translation>
            <numerusform>{count} carácter más no se muestra, pero se enviaría.</numerusform>
            <numerusform>{count} caracteres más no se muestran, pero se enviarían.</numerusform>
        </translation>
    </message>
    <message>
        <source>Deny: {name} of {server}</source>
        <translation>Denegar: {name} de {server}</translation>
    </message>
    <message>
        <source>Allow once: {name} of {server}</source>
        <translation>Permitir una vez: {name} de {server}</translation>
    </message>
    <message>
        <source>ChatDesk runs this itself. What it finds goes to the model that answers.</source>
        <translation>Esto lo ejecuta el propio ChatDesk. Lo que encuentra se envía al modelo que responde.</translation>
    </message>
    <message>
        <source>These arguments are sent to {where}</source>
        <translation>Estos argumentos se envían a {where}</translation>
    </message>
    <message>
        <source>These arguments are given to a program on this computer: {where}</source>
        <translation>Estos argumentos se dan a un programa de este dispositivo: {where}</translation>
    </message>
    <message>
        <source>{server} asks you for something: Ctrl+Shift+Y.</source>
        <translation>{server} te pide algo: Ctrl+Mayús+Y.</translation>
    </message>
    <message>
        <source>{server} asks you for something in another thread.</source>
        <translation>{server} te pide algo en otra conversación.</translation>
    </message>
    <message>
        <source>User</source>
        <comment>role</comment>
        <translation>Usuario</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>Rechazar</translation>
    </message>
    <message>
        <source>{server} asks you for something</source>
        <translation>{server} te pide algo</translation>
    </message>
    <message>
        <source>{server} wants you to open a page</source>
        <translation>{server} quiere que abras una página</translation>
    </message>
    <message>
        <source>Open in browser</source>
        <translation>Abrir en el navegador</translation>
    </message>
    <message>
        <source>{server} wants to ask {model}</source>
        <translation>{server} quiere preguntar a {model}</translation>
    </message>
    <message>
        <source>The whole question</source>
        <translation>La pregunta entera</translation>
    </message>
    <message numerus="yes">
        <source>{names} look like secrets. {server} gets what you enter, as you enter it.</source>
        <comment>{names} looks like a secret. {server} gets what you enter, as you enter it.</comment>
        <translation>
            <numerusform>{names} parece un secreto. {server} recibe lo que introduces, tal como lo introduces.</numerusform>
            <numerusform>{names} parecen secretos. {server} recibe lo que introduces, tal como lo introduces.</numerusform>
        </translation>
    </message>
    <message>
        <source>The server asks while “{tool}” runs.</source>
        <translation>El servidor lo pide mientras se ejecuta «{tool}».</translation>
    </message>
    <message>
        <source>The server chose this page: check the address before you enter anything there.</source>
        <translation>El servidor eligió esta página: comprueba la dirección antes de introducir algo allí.</translation>
    </message>
    <message numerus="yes">
        <source>This costs you at most {count} tokens and counts towards your limits.</source>
        <comment>This costs you at most {count} token and counts towards your limits.</comment>
        <translation>
            <numerusform>Te cuesta como máximo {count} token y cuenta para tus límites.</numerusform>
            <numerusform>Te cuesta como máximo {count} tokens y cuenta para tus límites.</numerusform>
        </translation>
    </message>
    <message>
        <source>The answer is sent to {where}</source>
        <translation>La respuesta se envía a {where}</translation>
    </message>
    <message>
        <source>The answer is given to a program on this computer: {where}</source>
        <translation>La respuesta se da a un programa de este dispositivo: {where}</translation>
    </message>
    <message>
        <source>What you enter is sent to {where}</source>
        <translation>Lo que introduces se envía a {where}</translation>
    </message>
    <message>
        <source>What you enter is given to a program on this computer: {where}</source>
        <translation>Lo que introduces se da a un programa de este dispositivo: {where}</translation>
    </message>
    <message>
        <source>None: models only read pages</source>
        <translation>Ninguno: los modelos solo leen páginas</translation>
    </message>
    <message>
        <source>A server that asks other search engines: yours, or one whose owner lets programs search.</source>
        <translation>Un servidor que pregunta a otros buscadores: el tuyo, o uno cuyo dueño permite búsquedas de programas.</translation>
    </message>
    <message>
        <source>A service. What is searched for goes there, with your key.</source>
        <translation>Un servicio. Lo que se busca va allí, con tu clave.</translation>
    </message>
    <message>
        <source>Web search</source>
        <translation>Búsqueda web</translation>
    </message>
    <message>
        <source>Search engine</source>
        <translation>Buscador</translation>
    </message>
    <message>
        <source>Address of SearXNG</source>
        <translation>Dirección de SearXNG</translation>
    </message>
    <message>
        <source>{address} or {other}</source>
        <translation>{address} o {other}</translation>
    </message>
    <message>
        <source>Test the search engine</source>
        <translation>Probar el buscador</translation>
    </message>
    <message>
        <source>A key is kept; type another to replace it</source>
        <translation>Hay una clave guardada; escribe otra para sustituirla</translation>
    </message>
    <message>
        <source>A key is kept. Type another to replace it.</source>
        <translation>Hay una clave guardada. Escribe otra para sustituirla.</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>Probando…</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>Guardando…</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. No search engine is chosen: models can only read pages.</source>
        <translation>Viene con ChatDesk. No se ha elegido ningún buscador: los modelos solo pueden leer páginas.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine} at {host}.</source>
        <translation>Viene con ChatDesk. Busca con {engine} en {host}.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine}.</source>
        <translation>Viene con ChatDesk. Busca con {engine}.</translation>
    </message>
    <message>
        <source>The program gets only these variables, the PATH and the places of your files. Secrets are kept with your keys.</source>
        <translation>El programa recibe solo estas variables, el PATH y la ubicación de tus archivos. Los secretos se guardan con tus claves.</translation>
    </message>
    <message>
        <source>Add a tool server</source>
        <translation>Añadir un servidor de herramientas</translation>
    </message>
    <message>
        <source>Edit the tool server</source>
        <translation>Editar el servidor de herramientas</translation>
    </message>
    <message>
        <source>For example: Notes</source>
        <translation>Por ejemplo: Notas</translation>
    </message>
    <message>
        <source>Command or address</source>
        <translation>Comando o dirección</translation>
    </message>
    <message>
        <source>Variables or headers</source>
        <translation>Variables o cabeceras</translation>
    </message>
    <message>
        <source>Folder it runs in</source>
        <translation>Carpeta en la que se ejecuta</translation>
    </message>
    <message>
        <source>An empty folder of its own</source>
        <translation>Una carpeta propia, vacía</translation>
    </message>
    <message>
        <source>Client ID</source>
        <translation>ID de cliente</translation>
    </message>
    <message>
        <source>Empty: ChatDesk registers itself</source>
        <translation>Vacío: ChatDesk se registra solo</translation>
    </message>
    <message>
        <source>Client secret</source>
        <translation>Secreto del cliente</translation>
    </message>
    <message>
        <source>Empty: none</source>
        <translation>Vacío: ninguno</translation>
    </message>
    <message>
        <source>Unchanged</source>
        <translation>Sin cambios</translation>
    </message>
    <message>
        <source>You can also paste the JSON of Claude Desktop, Cursor, VS Code or LM Studio here.</source>
        <translation>Aquí también puedes pegar el JSON de Claude Desktop, Cursor, VS Code o LM Studio.</translation>
    </message>
    <message>
        <source>Variables, or headers of an address, a line each</source>
        <translation>Variables, o cabeceras de una dirección, una por línea</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Carpeta</translation>
    </message>
    <message>
        <source>File of the project</source>
        <translation>Archivo del proyecto</translation>
    </message>
    <message>
        <source>Client ID, if you registered one to sign in with</source>
        <translation>ID de cliente, si registraste uno para iniciar sesión</translation>
    </message>
    <message>
        <source>Filled in from the description of “{name}”.</source>
        <translation>Rellenado a partir de la descripción de «{name}».</translation>
    </message>
    <message>
        <source>Still to be filled in: {missing}.</source>
        <translation>Falta por rellenar: {missing}.</translation>
    </message>
    <message numerus="yes">
        <source>Once it is saved, {count} more servers follow.</source>
        <comment>Once it is saved, {count} more server follows.</comment>
        <translation>
            <numerusform>Cuando lo guardes, sigue {count} servidor más.</numerusform>
            <numerusform>Cuando lo guardes, siguen {count} servidores más.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give it a name.</source>
        <translation>Dale un nombre.</translation>
    </message>
    <message>
        <source>Enter the command that starts it, or its address.</source>
        <translation>Introduce el comando que lo inicia o su dirección.</translation>
    </message>
    <message>
        <source>A quotation mark of the command is not closed.</source>
        <translation>Falta cerrar unas comillas del comando.</translation>
    </message>
    <message>
        <source>Write each line as NAME=value, not “{line}”.</source>
        <translation>Escribe cada línea como NAME=value, no «{line}».</translation>
    </message>
    <message>
        <source>{name} asks you to sign in: Ctrl+Shift+Y.</source>
        <translation>{name} te pide iniciar sesión: Ctrl+Mayús+Y.</translation>
    </message>
    <message>
        <source>Asking where to sign in…</source>
        <translation>Preguntando dónde iniciar sesión…</translation>
    </message>
    <message>
        <source>Signed in. Ask again to use its tools.</source>
        <translation>Sesión iniciada. Pregunta de nuevo para usar sus herramientas.</translation>
    </message>
    <message>
        <source>Sign in…</source>
        <translation>Iniciar sesión…</translation>
    </message>
    <message>
        <source>{name} asks you to sign in</source>
        <translation>{name} te pide iniciar sesión</translation>
    </message>
    <message>
        <source>The tools of {address} are left out until you have signed in.</source>
        <translation>Las herramientas de {address} se omiten hasta que inicies sesión.</translation>
    </message>
    <message>
        <source>Sign in at {host} in your browser, within five minutes.</source>
        <translation>Inicia sesión en {host} en tu navegador, en menos de cinco minutos.</translation>
    </message>
    <message>
        <source>Signed out here. The server was not told, or cannot withdraw a sign-in: end it in your account there.</source>
        <translation>Sesión cerrada aquí. No se avisó al servidor, o este no puede anular la sesión: ciérrala en tu cuenta allí.</translation>
    </message>
    <message>
        <source>Signing out…</source>
        <translation>Cerrando sesión…</translation>
    </message>
    <message>
        <source>It did not ask you to sign in.</source>
        <translation>No te pidió iniciar sesión.</translation>
    </message>
    <message>
        <source>Remove {name}?</source>
        <translation>¿Quitar {name}?</translation>
    </message>
    <message>
        <source>Its tools are gone from all threads, with its secrets and what you allowed. Threads keep what it answered.</source>
        <translation>Sus herramientas desaparecen de todas las conversaciones, con sus secretos y lo que permitiste. Las conversaciones conservan lo que respondió.</translation>
    </message>
    <message>
        <source>What models can use to read files, search and act. Nothing runs before you allow it.</source>
        <translation>Lo que los modelos pueden usar para leer archivos, buscar y actuar. Nada se ejecuta antes de que lo permitas.</translation>
    </message>
    <message>
        <source>No other server is set up.</source>
        <translation>No hay ningún otro servidor configurado.</translation>
    </message>
    <message>
        <source>ChatDesk asks about every call.</source>
        <translation>ChatDesk pregunta por cada llamada.</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>Encontrado</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Iniciado</translation>
    </message>
    <message>
        <source>Speaks the protocol</source>
        <translation>Entiende el protocolo</translation>
    </message>
    <message>
        <source>Lists its tools</source>
        <translation>Muestra sus herramientas</translation>
    </message>
    <message>
        <source>in one project</source>
        <translation>en un proyecto</translation>
    </message>
    <message>
        <source>see and change what ChatDesk remembers</source>
        <translation>muestra y cambia lo que recuerda ChatDesk</translation>
    </message>
    <message>
        <source>list the facts that are remembered</source>
        <translation>muestra los datos recordados</translation>
    </message>
    <message>
        <source>remember a fact</source>
        <translation>recuerda un dato</translation>
    </message>
    <message>
        <source>change the words of a memory</source>
        <translation>cambia el texto de un recuerdo</translation>
    </message>
    <message>
        <source>delete memories for good</source>
        <translation>elimina recuerdos definitivamente</translation>
    </message>
    <message>
        <source>write all memories to a JSON file</source>
        <translation>escribe todos los recuerdos en un archivo JSON</translation>
    </message>
    <message>
        <source>its id, as listed</source>
        <translation>su identificador, como en la lista</translation>
    </message>
    <message>
        <source>one sentence</source>
        <translation>una frase</translation>
    </message>
    <message>
        <source>only for this project, by its name or id</source>
        <translation>solo para este proyecto, por su nombre o identificador</translation>
    </message>
    <message>
        <source>ids, as listed</source>
        <translation>identificadores, como en la lista</translation>
    </message>
    <message>
        <source>all memories</source>
        <translation>todos los recuerdos</translation>
    </message>
    <message>
        <source>the file to write</source>
        <translation>el archivo que se escribe</translation>
    </message>
    <message>
        <source>Name the memories to delete, or --all.</source>
        <translation>Indica los recuerdos que quieres eliminar, o --all.</translation>
    </message>
    <message>
        <source>Change the memories in its window, or close it first.</source>
        <translation>Cambia los recuerdos en su ventana, o ciérrala antes.</translation>
    </message>
    <message>
        <source>everywhere</source>
        <translation>en todas partes</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent.</source>
        <translation>La memoria está desactivada: no se conserva ni se envía nada.</translation>
    </message>
    <message>
        <source>This was remembered already.</source>
        <translation>Esto ya se recordaba.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories deleted</source>
        <comment>{count} memory deleted</comment>
        <translation>
            <numerusform>{count} recuerdo eliminado</numerusform>
            <numerusform>{count} recuerdos eliminados</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} memories written</source>
        <comment>{count} memory written</comment>
        <translation>
            <numerusform>{count} recuerdo escrito</numerusform>
            <numerusform>{count} recuerdos escritos</numerusform>
        </translation>
    </message>
    <message>
        <source>in one project, also after text from outside</source>
        <translation>en un proyecto, también después de texto externo</translation>
    </message>
    <message>
        <source>everywhere, also after text from outside</source>
        <translation>en todas partes, también después de texto externo</translation>
    </message>
    <message>
        <source>Add server…</source>
        <translation>Añadir servidor…</translation>
    </message>
    <message>
        <source>Allowed without asking</source>
        <translation>Permitido sin preguntar</translation>
    </message>
    <message>
        <source>{tool} of {server}</source>
        <translation>{tool} de {server}</translation>
    </message>
    <message>
        <source>{scope} · since {when}</source>
        <translation>{scope} · desde {when}</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>Preguntar de nuevo</translation>
    </message>
    <message>
        <source>Models can look things up in your earlier threads.</source>
        <translation>Los modelos pueden consultar tus conversaciones anteriores.</translation>
    </message>
    <message>
        <source>Ask again about {title}</source>
        <translation>Preguntar de nuevo por {title}</translation>
    </message>
    <message>
        <source>Search engine…</source>
        <translation>Buscador…</translation>
    </message>
    <message>
        <source>It wrote: {tail}</source>
        <translation>Escribió: {tail}</translation>
    </message>
    <message>
        <source>Models can read the files of a project&apos;s folder, and propose changes to them.</source>
        <translation>Los modelos pueden leer los archivos de la carpeta de un proyecto y proponer cambios en ellos.</translation>
    </message>
    <message>
        <source>in one thread</source>
        <translation>en una conversación</translation>
    </message>
    <message>
        <source>in one thread, also after text from outside</source>
        <translation>en una conversación, también después de texto externo</translation>
    </message>
    <message>
        <source>May ask your model for an answer, if you agree each time</source>
        <translation>Puede pedir una respuesta a tu modelo, si lo apruebas cada vez</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>Cerrar sesión</translation>
    </message>
    <message>
        <source>Sign out of {name}</source>
        <translation>Cerrar sesión en {name}</translation>
    </message>
    <message>
        <source>Sign in to {name}</source>
        <translation>Iniciar sesión en {name}</translation>
    </message>
    <message>
        <source>Test {name}</source>
        <translation>Probar {name}</translation>
    </message>
    <message>
        <source>Edit {name}</source>
        <translation>Editar {name}</translation>
    </message>
    <message>
        <source>Choose the search engine</source>
        <translation>Elegir el buscador</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools</source>
        <comment>{count} tool</comment>
        <translation>
            <numerusform>{count} herramienta</numerusform>
            <numerusform>{count} herramientas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Running, {count} tools</source>
        <comment>Running, {count} tool</comment>
        <translation>
            <numerusform>En marcha, {count} herramienta</numerusform>
            <numerusform>En marcha, {count} herramientas</numerusform>
        </translation>
    </message>
    <message>
        <source>It failed.</source>
        <translation>Falló.</translation>
    </message>
    <message>
        <source>Starts when it is needed</source>
        <translation>Se inicia cuando hace falta</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>Web page (*.html)</source>
        <translation>Página web (*.html)</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>ChatDesk&apos;s JSON with attachments (*.zip);;ChatDesk&apos;s JSON (*.json)</source>
        <translation>JSON de ChatDesk con adjuntos (*.zip);;JSON de ChatDesk (*.json)</translation>
    </message>
    <message>
        <source>The project</source>
        <translation>El proyecto</translation>
    </message>
    <message numerus="yes">
        <source>These {count} threads</source>
        <comment>This thread</comment>
        <translation>
            <numerusform>Esta conversación</numerusform>
            <numerusform>Estas {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The thread has {count} messages, too many for the clipboard. Export it instead.</source>
        <comment>The thread has {count} message, too many for the clipboard. Export it instead.</comment>
        <translation>
            <numerusform>La conversación tiene {count} mensaje, demasiado para el portapapeles. Expórtala.</numerusform>
            <numerusform>La conversación tiene {count} mensajes, demasiados para el portapapeles. Expórtala.</numerusform>
        </translation>
    </message>
    <message>
        <source>The thread is in the clipboard, as Markdown</source>
        <translation>La conversación está en el portapapeles, como Markdown</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exportar</translation>
    </message>
    <message>
        <source>Folder to export into</source>
        <translation>Carpeta a la que exportar</translation>
    </message>
    <message>
        <source>The export was cancelled; nothing was left behind.</source>
        <translation>La exportación se canceló; no quedaron restos.</translation>
    </message>
    <message>
        <source>Exporting</source>
        <translation>Exportando</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>Leyendo…</translation>
    </message>
    <message numerus="yes">
        <source>{done} of {count} messages</source>
        <comment>{done} of {count} message</comment>
        <translation>
            <numerusform>{done} de {count} mensaje</numerusform>
            <numerusform>{done} de {count} mensajes</numerusform>
        </translation>
    </message>
    <message>
        <source>For editors and notes. One file a thread, attachments in a folder beside it.</source>
        <translation>Para editores y notas. Un archivo por conversación, los adjuntos en una carpeta al lado.</translation>
    </message>
    <message>
        <source>Web page</source>
        <translation>Página web</translation>
    </message>
    <message>
        <source>One file with everything in it, to read and to print.</source>
        <translation>Un archivo con todo dentro, para leer e imprimir.</translation>
    </message>
    <message>
        <source>For paper and for sending on.</source>
        <translation>Para imprimir y para enviar a otros.</translation>
    </message>
    <message>
        <source>JSON with attachments (zip)</source>
        <translation>JSON con adjuntos (zip)</translation>
    </message>
    <message>
        <source>Everything, other versions too. ChatDesk can import it again.</source>
        <translation>Todo, también otras versiones. ChatDesk puede importarlo de nuevo.</translation>
    </message>
    <message>
        <source>What to export</source>
        <translation>Qué exportar</translation>
    </message>
    <message>
        <source>Include the trash</source>
        <translation>Incluir la papelera</translation>
    </message>
    <message>
        <source>Choose where…</source>
        <translation>Elegir dónde…</translation>
    </message>
    <message>
        <source>In ChatGPT open Settings, Data controls, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>En ChatGPT abre Configuración, Controles de datos, y elige Exportar datos. Recibirás por correo un enlace a un archivo zip. Elige aquí ese archivo, tal cual.</translation>
    </message>
    <message>
        <source>In Claude open Settings, Privacy, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>En Claude abre Configuración, Privacidad, y elige Exportar datos. Recibirás por correo un enlace a un archivo zip. Elige aquí ese archivo, tal cual.</translation>
    </message>
    <message>
        <source>In Google Takeout choose My Activity alone, in it Gemini Apps alone, and JSON as the format. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>En Google Takeout elige solo Mi actividad, en ella solo Aplicaciones de Gemini, y JSON como formato. Recibirás por correo un enlace a un archivo zip. Elige aquí ese archivo, tal cual.</translation>
    </message>
    <message>
        <source>In Open WebUI open Settings, Chats, and choose Export Chats. It saves a JSON file: choose it here.</source>
        <translation>En Open WebUI abre Ajustes, Chats, y elige Exportar chats. Guarda un archivo JSON: elígelo aquí.</translation>
    </message>
    <message>
        <source>In LibreChat open a conversation, choose Export in its menu, and JSON as the format. Choose that file here.</source>
        <translation>En LibreChat abre una conversación, elige Exportar en su menú, y JSON como formato. Elige aquí ese archivo.</translation>
    </message>
    <message>
        <source>In AnythingLLM open Settings, Admin, Workspace Chats, and choose Export, then JSON. Choose that file here. CSV and JSONL are read as well, with less in them.</source>
        <translation>En AnythingLLM abre Settings, Admin, Workspace Chats, y elige Export y luego JSON. Elige aquí ese archivo. También se leen CSV y JSONL, con menos contenido.</translation>
    </message>
    <message>
        <source>In Chatbox open Settings, General, Data Backup. Tick Chat History and choose Export Selected Data. Choose that file here.</source>
        <translation>En Chatbox abre Settings, General, Data Backup. Marca Chat History y elige Export Selected Data. Elige aquí ese archivo.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings. Choose Export to Phone and export to a file; in older versions choose Backup. Choose that zip file here.</source>
        <translation>En Cherry Studio abre Settings, Data Settings. Elige Export to Phone y exporta a un archivo; en versiones anteriores elige Backup. Elige aquí ese archivo zip.</translation>
    </message>
    <message>
        <source>In Jan open Settings, General, and show the data folder. Choose the folder “threads” in it here.</source>
        <translation>En Jan abre Settings, General, y muestra la carpeta de datos. Elige aquí la carpeta «threads» que contiene.</translation>
    </message>
    <message>
        <source>Choose the folder “conversations” here. It is in the folder “.lmstudio” of your home folder; LM Studio shows it when you choose Reveal in the menu of a chat.</source>
        <translation>Elige aquí la carpeta «conversations». Está en la carpeta «.lmstudio» de tu carpeta personal; LM Studio la muestra cuando eliges Reveal en el menú de un chat.</translation>
    </message>
    <message>
        <source>In the other ChatDesk choose Export… in the menu of a thread, then Everything, and JSON. Choose that zip file here.</source>
        <translation>En el otro ChatDesk elige Exportar… en el menú de una conversación, luego Todo y JSON. Elige aquí ese archivo zip.</translation>
    </message>
    <message>
        <source>Import or attach?</source>
        <translation>¿Importar o adjuntar?</translation>
    </message>
    <message>
        <source>“{name}” looks like an export of chats. Import its threads, or attach the file to your message?</source>
        <translation>«{name}» parece una exportación de chats. ¿Importar sus conversaciones o adjuntar el archivo a tu mensaje?</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importar</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>Adjuntar</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Informe</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are kept</source>
        <comment>{count} memory is kept</comment>
        <translation>
            <numerusform>Se conserva {count} recuerdo</numerusform>
            <numerusform>Se conservan {count} recuerdos</numerusform>
        </translation>
    </message>
    <message>
        <source>The report is in the clipboard</source>
        <translation>El informe está en el portapapeles</translation>
    </message>
    <message>
        <source>Exports (*.zip *.json *.jsonl *.csv);;All files (*)</source>
        <translation>Exportaciones (*.zip *.json *.jsonl *.csv);;Todos los archivos (*)</translation>
    </message>
    <message>
        <source>One named after the program</source>
        <translation>Uno con el nombre del programa</translation>
    </message>
    <message>
        <source>Looking into the file…</source>
        <translation>Examinando el archivo…</translation>
    </message>
    <message>
        <source>Import a folder</source>
        <translation>Importar una carpeta</translation>
    </message>
    <message>
        <source>{name} is chosen. Import starts it.</source>
        <translation>Se eligió {name}. Pulsa Importar para empezar.</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Deteniendo…</translation>
    </message>
    <message>
        <source>What is here already stays as it is, so a newer export of the same chats can be imported at any time.</source>
        <translation>Lo que ya está queda como está, así que una exportación más reciente de los mismos chats se puede importar cuando quieras.</translation>
    </message>
    <message>
        <source>Import a file…</source>
        <translation>Importar un archivo…</translation>
    </message>
    <message>
        <source>Import a folder…</source>
        <translation>Importar una carpeta…</translation>
    </message>
    <message>
        <source>Project for the imported threads</source>
        <translation>Proyecto para las conversaciones importadas</translation>
    </message>
    <message>
        <source>Into project</source>
        <translation>En el proyecto</translation>
    </message>
    <message>
        <source>Program that the chats come from</source>
        <translation>Programa del que vienen los chats</translation>
    </message>
    <message>
        <source>Chats from</source>
        <translation>Chats de</translation>
    </message>
    <message>
        <source>Open {program}</source>
        <translation>Abrir {program}</translation>
    </message>
    <message>
        <source>Progress of the import</source>
        <translation>Progreso de la importación</translation>
    </message>
    <message>
        <source>You can go on working: the import does not need this window. What is imported already stays if you stop.</source>
        <translation>Puedes seguir trabajando: la importación no necesita esta ventana. Si la detienes, lo ya importado se conserva.</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>Ocultar</translation>
    </message>
    <message>
        <source>Result of each thread</source>
        <translation>Resultado de cada conversación</translation>
    </message>
    <message>
        <source>ChatDesk {version} is available.</source>
        <translation>ChatDesk {version} está disponible.</translation>
    </message>
    <message>
        <source>This is ChatDesk {version}.</source>
        <translation>Este es ChatDesk {version}.</translation>
    </message>
    <message>
        <source>Look now</source>
        <translation>Buscar ahora</translation>
    </message>
    <message>
        <source>Open the page</source>
        <translation>Abrir la página</translation>
    </message>
    <message>
        <source>ChatDesk {version} is the newest version.</source>
        <translation>ChatDesk {version} es la versión más reciente.</translation>
    </message>
    <message>
        <source>ChatDesk {new} is available; you have {version}.</source>
        <translation>ChatDesk {new} está disponible; tienes {version}.</translation>
    </message>
    <message>
        <source>Looking for a new version…</source>
        <translation>Buscando una versión nueva…</translation>
    </message>
    <message>
        <source>Tokens a day</source>
        <translation>Tokens al día</translation>
    </message>
    <message>
        <source>Tokens a month</source>
        <translation>Tokens al mes</translation>
    </message>
    <message>
        <source>Dollars a day</source>
        <translation>Dólares al día</translation>
    </message>
    <message>
        <source>Dollars a month</source>
        <translation>Dólares al mes</translation>
    </message>
    <message>
        <source>At the warning you get one note a day, and titles and summaries wait. At the stop nothing more is sent: your question is kept, and you can send it anyway. A model without a price counts as free here. Messages have a rate, such as 20/min or 200/day: further ones wait their turn.</source>
        <translation>Al llegar al aviso recibes una nota al día, y los títulos y resúmenes esperan. Al llegar al tope no se envía nada más: tu pregunta se conserva, y puedes enviarla de todos modos. Un modelo sin precio cuenta aquí como gratis. Los mensajes tienen una frecuencia, como 20/min o 200/day: los siguientes esperan su turno.</translation>
    </message>
    <message>
        <source>Add a limit</source>
        <translation>Añadir un límite</translation>
    </message>
    <message>
        <source>Two rates apply to the same provider or project. Remove one of them.</source>
        <translation>Dos frecuencias se aplican al mismo proveedor o proyecto. Quita una de ellas.</translation>
    </message>
    <message>
        <source>Remove limit {number}</source>
        <translation>Quitar límite {number}</translation>
    </message>
    <message>
        <source>Warning at</source>
        <translation>Aviso en</translation>
    </message>
    <message>
        <source>Stop at</source>
        <translation>Tope en</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>Como máximo</translation>
    </message>
    <message>
        <source>“{typed}” is not a rate ({where}): {why}.</source>
        <translation>«{typed}» no es una frecuencia ({where}): {why}.</translation>
    </message>
    <message>
        <source>Limit {number}, for</source>
        <translation>Límite {number}, para</translation>
    </message>
    <message>
        <source>Limit {number}, of</source>
        <translation>Límite {number}, de</translation>
    </message>
    <message>
        <source>Limit {number}, warning at</source>
        <translation>Límite {number}, aviso en</translation>
    </message>
    <message>
        <source>Limit {number}, stop at</source>
        <translation>Límite {number}, tope en</translation>
    </message>
    <message>
        <source>No warning</source>
        <translation>Sin aviso</translation>
    </message>
    <message>
        <source>No stop</source>
        <translation>Sin tope</translation>
    </message>
    <message>
        <source>“{typed}” is not a number ({where}). Write it as 100000 or 2.50.</source>
        <translation>«{typed}» no es un número ({where}). Escríbelo como 100000 o 2.50.</translation>
    </message>
    <message>
        <source>It is sent when the answer before it is complete.</source>
        <translation>Se enviará cuando la respuesta anterior esté completa.</translation>
    </message>
    <message>
        <source>The answer before it was not completed. Go to it to send it now.</source>
        <translation>La respuesta anterior no se completó. Ve a ella para enviarlo ahora.</translation>
    </message>
    <message>
        <source>You are offline. It is sent when the connection is back.</source>
        <translation>No tienes conexión. Se enviará cuando vuelva.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait</source>
        <comment>{count} message waits</comment>
        <translation>
            <numerusform>{count} mensaje en espera</numerusform>
            <numerusform>{count} mensajes en espera</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk usage {first} to {last}.csv</source>
        <translation>Uso de ChatDesk {first} a {last}.csv</translation>
    </message>
    <message>
        <source>Export usage</source>
        <translation>Exportar uso</translation>
    </message>
    <message>
        <source>CSV (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines were written to {name}</source>
        <comment>{count} line was written to {name}</comment>
        <translation>
            <numerusform>Se escribió {count} línea en {name}</numerusform>
            <numerusform>Se escribieron {count} líneas en {name}</numerusform>
        </translation>
    </message>
    <message>
        <source>{amount} used</source>
        <translation>{amount} usados</translation>
    </message>
    <message>
        <source>It is sent in a moment.</source>
        <translation>Se enviará en un momento.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}, {before} before it.</source>
        <translation>En espera: se enviará a las {clock}, con {before} por delante.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}.</source>
        <translation>En espera: se enviará a las {clock}.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically, {before} before it.</source>
        <translation>En espera: se enviará automáticamente, con {before} por delante.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically.</source>
        <translation>En espera: se enviará automáticamente.</translation>
    </message>
    <message>
        <source>{time} on {day}</source>
        <translation>{time} del {day}</translation>
    </message>
    <message>
        <source>Waiting to be sent</source>
        <translation>Pendiente de envío</translation>
    </message>
    <message>
        <source>Go to it</source>
        <translation>Ir a él</translation>
    </message>
    <message>
        <source>Go to {about}</source>
        <translation>Ir a {about}</translation>
    </message>
    <message>
        <source>Send first</source>
        <translation>Enviar primero</translation>
    </message>
    <message>
        <source>Send first: {about}</source>
        <translation>Enviar primero: {about}</translation>
    </message>
    <message>
        <source>Cancel {about}</source>
        <translation>Cancelar {about}</translation>
    </message>
    <message>
        <source>Nothing waits.</source>
        <translation>No hay nada en espera.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait. What is cancelled is not sent; the question is kept.</source>
        <comment>{count} message waits. What is cancelled is not sent; the question is kept.</comment>
        <translation>
            <numerusform>{count} mensaje en espera. Lo que se cancela no se envía; la pregunta se conserva.</numerusform>
            <numerusform>{count} mensajes en espera. Lo que se cancela no se envía; la pregunta se conserva.</numerusform>
        </translation>
    </message>
    <message>
        <source>{problem} Nothing was kept.</source>
        <translation>{problem} No se guardó nada.</translation>
    </message>
    <message>
        <source>{label} is kept. It cannot answer before it has a key.</source>
        <translation>{label} se ha guardado. No puede responder hasta que tenga una clave.</translation>
    </message>
    <message>
        <source>{label} is connected.</source>
        <translation>{label} está conectado.</translation>
    </message>
    <message>
        <source>{label} is connected. {model} answers.</source>
        <translation>{label} está conectado. {model} responde.</translation>
    </message>
    <message>
        <source>Paste the key of a provider, or choose a server of your own. It is tested before it is kept.</source>
        <translation>Pega la clave de un proveedor o elige un servidor propio. Se prueba antes de guardarlo.</translation>
    </message>
    <message>
        <source>All providers…</source>
        <translation>Todos los proveedores…</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>Proveedor</translation>
    </message>
    <message>
        <source>Own server…</source>
        <translation>Servidor propio…</translation>
    </message>
    <message>
        <source>Address of the server</source>
        <translation>Dirección del servidor</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>Conectar</translation>
    </message>
    <message>
        <source>Save without a test</source>
        <translation>Guardar sin probar</translation>
    </message>
    <message>
        <source>Found on this computer:</source>
        <translation>Encontrados en este dispositivo:</translation>
    </message>
    <message>
        <source>Use {label}, {models}</source>
        <translation>Usar {label}, {models}</translation>
    </message>
    <message>
        <source>Found on this computer: {servers}</source>
        <translation>Encontrados en este dispositivo: {servers}</translation>
    </message>
    <message>
        <source>Paste the key that {label} gave you.</source>
        <translation>Pega la clave que te dio {label}.</translation>
    </message>
    <message>
        <source>This is a key of {label}</source>
        <translation>Esta es una clave de {label}</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>Primeros pasos</translation>
    </message>
    <message>
        <source>Take the tour</source>
        <translation>Hacer el recorrido</translation>
    </message>
    <message>
        <source>Welcome to ChatDesk</source>
        <translation>Te damos la bienvenida a ChatDesk</translation>
    </message>
    <message>
        <source>Connect a model to begin. Your chats stay on this computer.</source>
        <translation>Conecta un modelo para empezar. Tus chats se quedan en este dispositivo.</translation>
    </message>
    <message>
        <source>More…</source>
        <translation>Más…</translation>
    </message>
    <message>
        <source>Connect a provider</source>
        <translation>Conectar un proveedor</translation>
    </message>
    <message>
        <source>Import your chats</source>
        <translation>Importar tus chats</translation>
    </message>
    <message>
        <source>Choose where they are now: the next page says how to get them out.</source>
        <translation>Elige dónde están ahora: la página siguiente explica cómo exportarlos.</translation>
    </message>
    <message>
        <source>Import from {program}</source>
        <translation>Importar de {program}</translation>
    </message>
    <message>
        <source>No account and no network: the demo model shows what ChatDesk can do.</source>
        <translation>Sin cuenta ni red: el modelo de demostración muestra lo que ChatDesk puede hacer.</translation>
    </message>
    <message>
        <source>What can ChatDesk do?</source>
        <translation>¿Qué puede hacer ChatDesk?</translation>
    </message>
    <message>
        <source>The provider of this model is gone. Choose another model at the top.</source>
        <translation>El proveedor de este modelo ya no está. Elige otro modelo arriba.</translation>
    </message>
    <message>
        <source>{label} has no key yet, so it cannot answer. Put it into Settings, Providers, or choose another model at the top.</source>
        <translation>{label} aún no tiene clave, así que no puede responder. Ponla en Ajustes, Proveedores, o elige otro modelo arriba.</translation>
    </message>
    <message>
        <source>The demo model answers, without account or network. It shows what ChatDesk can do.</source>
        <translation>Responde el modelo de demostración, sin cuenta ni red. Muestra lo que ChatDesk puede hacer.</translation>
    </message>
    <message>
        <source>{who} answers. Choose another model at the top.</source>
        <translation>Responde {who}. Elige otro modelo arriba.</translation>
    </message>
    <message>
        <source>Text of the artifact</source>
        <translation>Texto del artefacto</translation>
    </message>
    <message>
        <source>Ctrl+Enter saves a version, Esc leaves. Tab writes a tab.</source>
        <translation>Ctrl+Intro guarda una versión, Esc sale. Tab escribe un tabulador.</translation>
    </message>
    <message numerus="yes">
        <source>{count} rows</source>
        <comment>{count} row</comment>
        <translation>
            <numerusform>{count} fila</numerusform>
            <numerusform>{count} filas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} columns</source>
        <comment>{count} column</comment>
        <translation>
            <numerusform>{count} columna</numerusform>
            <numerusform>{count} columnas</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask for a change</source>
        <translation>Pedir un cambio</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>Guardar…</translation>
    </message>
    <message>
        <source>Show in the thread</source>
        <translation>Mostrar en la conversación</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Quitar de la lista</translation>
    </message>
    <message>
        <source>All artifacts</source>
        <translation>Todos los artefactos</translation>
    </message>
    <message>
        <source>Previous version of the artifact</source>
        <translation>Versión anterior del artefacto</translation>
    </message>
    <message>
        <source>Next version of the artifact</source>
        <translation>Versión siguiente del artefacto</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Código</translation>
    </message>
    <message>
        <source>Differences</source>
        <translation>Diferencias</translation>
    </message>
    <message>
        <source>Save as version</source>
        <translation>Guardar como versión</translation>
    </message>
    <message>
        <source>{number} / {count}</source>
        <translation>{number} / {count}</translation>
    </message>
    <message>
        <source>Hide differences</source>
        <translation>Ocultar diferencias</translation>
    </message>
    <message>
        <source>Hide the differences</source>
        <translation>Ocultar las diferencias</translation>
    </message>
    <message>
        <source>Show what changed since version {number}</source>
        <translation>Mostrar qué cambió desde la versión {number}</translation>
    </message>
    <message>
        <source>Drawn</source>
        <translation>Vista</translation>
    </message>
    <message>
        <source>Show it drawn</source>
        <translation>Mostrar la vista</translation>
    </message>
    <message>
        <source>Show its source</source>
        <translation>Mostrar el código fuente</translation>
    </message>
    <message>
        <source>{name}, version {number} of {count}</source>
        <translation>{name}, versión {number} de {count}</translation>
    </message>
    <message>
        <source>A temporary chat keeps no artifacts, because they are stored on disk. Keep the chat to open some.</source>
        <translation>Un chat temporal no conserva artefactos, porque se guardan en el disco. Conserva el chat para abrir alguno.</translation>
    </message>
    <message>
        <source>This thread has no artifacts yet. Files of its messages are listed here, and so is code that you open: code of 15 lines or more has “Open as artifact”, in its header and in the menu of its message.</source>
        <translation>Esta conversación aún no tiene artefactos. Aquí se muestran los archivos de sus mensajes, y también el código que abras: el código de 15 líneas o más tiene «Abrir como artefacto», en su cabecera y en el menú de su mensaje.</translation>
    </message>
    <message>
        <source>Artifacts of this thread</source>
        <translation>Artefactos de esta conversación</translation>
    </message>
    <message numerus="yes">
        <source>{count} versions</source>
        <comment>{count} version</comment>
        <translation>
            <numerusform>{count} versión</numerusform>
            <numerusform>{count} versiones</numerusform>
        </translation>
    </message>
    <message>
        <source>edited by you</source>
        <translation>editado por ti</translation>
    </message>
    <message>
        <source>proposed change to a file</source>
        <translation>cambio propuesto en un archivo</translation>
    </message>
    <message>
        <source>from the tool {tool}</source>
        <translation>de la herramienta {tool}</translation>
    </message>
    <message>
        <source>attached to a question</source>
        <translation>adjunto a una pregunta</translation>
    </message>
    <message>
        <source>from a question</source>
        <translation>de una pregunta</translation>
    </message>
    <message>
        <source>from an answer</source>
        <translation>de una respuesta</translation>
    </message>
    <message>
        <source>sent</source>
        <translation>enviado</translation>
    </message>
    <message>
        <source>in the summary</source>
        <translation>en el resumen</translation>
    </message>
    <message>
        <source>excluded</source>
        <translation>excluido</translation>
    </message>
    <message>
        <source>did not fit</source>
        <translation>no cabía</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>vacío</translation>
    </message>
    <message>
        <source>user</source>
        <translation>usuario</translation>
    </message>
    <message>
        <source>assistant</source>
        <translation>asistente</translation>
    </message>
    <message>
        <source>system</source>
        <translation>sistema</translation>
    </message>
    <message>
        <source>tool</source>
        <translation>herramienta</translation>
    </message>
    <message>
        <source>before the start of the context</source>
        <translation>antes del inicio del contexto</translation>
    </message>
    <message>
        <source>What the model will see</source>
        <translation>Lo que verá el modelo</translation>
    </message>
    <message>
        <source>What happens to each message</source>
        <translation>Qué pasa con cada mensaje</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>Fijar</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>Excluir</translation>
    </message>
    <message>
        <source>Start here</source>
        <translation>Empezar aquí</translation>
    </message>
    <message>
        <source>Copy request as JSON</source>
        <translation>Copiar petición como JSON</translation>
    </message>
    <message>
        <source>Nothing yet: ask something.</source>
        <translation>Nada aún: pregunta algo.</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Desfijar</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>Incluir</translation>
    </message>
    <message>
        <source>Start at the top</source>
        <translation>Empezar desde arriba</translation>
    </message>
    <message>
        <source>(no text)</source>
        <translation>(sin texto)</translation>
    </message>
    <message>
        <source>{about}: {text}</source>
        <translation>{about}: {text}</translation>
    </message>
    <message>
        <source>about {used} of {window} tokens · {model}</source>
        <translation>unos {used} de {window} tokens · {model}</translation>
    </message>
    <message>
        <source>{used} of {window} tokens · {model}</source>
        <translation>{used} de {window} tokens · {model}</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>fijado</translation>
    </message>
    <message numerus="yes">
        <source>{count} did not fit</source>
        <comment>{count} did not fit</comment>
        <translation>
            <numerusform>{count} no cabía</numerusform>
            <numerusform>{count} no cabían</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} excluded</source>
        <comment>{count} excluded</comment>
        <translation>
            <numerusform>{count} excluido</numerusform>
            <numerusform>{count} excluidos</numerusform>
        </translation>
    </message>
    <message>
        <source>older messages are left out from where you started</source>
        <translation>se omiten los mensajes anteriores a donde empezaste</translation>
    </message>
    <message>
        <source>the summary is out of date and not sent</source>
        <translation>el resumen está desactualizado y no se envía</translation>
    </message>
    <message>
        <source>{part}: {tokens}</source>
        <translation>{part}: {tokens}</translation>
    </message>
    <message>
        <source>Memories</source>
        <translation>Recuerdos</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages</source>
        <comment>Summary of {count} message</comment>
        <translation>
            <numerusform>Resumen de {count} mensaje</numerusform>
            <numerusform>Resumen de {count} mensajes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pinned · {count} messages</source>
        <comment>Pinned · {count} message</comment>
        <translation>
            <numerusform>Fijados · {count} mensaje</numerusform>
            <numerusform>Fijados · {count} mensajes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Recent · {count} messages</source>
        <comment>Recent · {count} message</comment>
        <translation>
            <numerusform>Recientes · {count} mensaje</numerusform>
            <numerusform>Recientes · {count} mensajes</numerusform>
        </translation>
    </message>
    <message>
        <source>Your draft</source>
        <translation>Tu borrador</translation>
    </message>
    <message>
        <source>Room for the answer</source>
        <translation>Sitio para la respuesta</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>Inspector</translation>
    </message>
    <message>
        <source>Inspector tabs</source>
        <translation>Pestañas del inspector</translation>
    </message>
    <message>
        <source>Close the inspector</source>
        <translation>Cerrar el inspector</translation>
    </message>
    <message>
        <source>Filter the questions</source>
        <translation>Filtrar las preguntas</translation>
    </message>
    <message numerus="yes">
        <source>{count} questions</source>
        <comment>{count} question</comment>
        <translation>
            <numerusform>{count} pregunta</numerusform>
            <numerusform>{count} preguntas</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the thread…</source>
        <translation>Leyendo la conversación…</translation>
    </message>
    <message>
        <source>No question contains these words.</source>
        <translation>Ninguna pregunta contiene estas palabras.</translation>
    </message>
    <message>
        <source>No question has been asked yet.</source>
        <translation>Aún no se ha hecho ninguna pregunta.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} tokens</source>
        <comment>about {count} token</comment>
        <translation>
            <numerusform>alrededor de {count} token</numerusform>
            <numerusform>unos {count} tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>one of its messages was edited</source>
        <translation>se editó uno de sus mensajes</translation>
    </message>
    <message>
        <source>one of its messages was deleted</source>
        <translation>se eliminó uno de sus mensajes</translation>
    </message>
    <message>
        <source>another version of one of its messages is shown</source>
        <translation>se muestra otra versión de uno de sus mensajes</translation>
    </message>
    <message>
        <source>one of its messages was excluded</source>
        <translation>se excluyó uno de sus mensajes</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>Pregunta</translation>
    </message>
    <message>
        <source>Tool result</source>
        <translation>Resultado de herramienta</translation>
    </message>
    <message>
        <source>Text of the summary</source>
        <translation>Texto del resumen</translation>
    </message>
    <message>
        <source>Kept word for word, a line each</source>
        <translation>Se conserva palabra por palabra, un dato por línea</translation>
    </message>
    <message>
        <source>Facts that are kept word for word, a line each</source>
        <translation>Datos que se conservan palabra por palabra, uno por línea</translation>
    </message>
    <message>
        <source>Summarise this thread</source>
        <translation>Resumir esta conversación</translation>
    </message>
    <message>
        <source>Summarise threads of this project</source>
        <translation>Resumir conversaciones de este proyecto</translation>
    </message>
    <message>
        <source>Do not send</source>
        <translation>No enviar</translation>
    </message>
    <message>
        <source>First source</source>
        <translation>Primera fuente</translation>
    </message>
    <message>
        <source>Last source</source>
        <translation>Última fuente</translation>
    </message>
    <message>
        <source>There is no summary yet: it is made when the context fills.</source>
        <translation>Aún no hay resumen: se crea cuando el contexto se llena.</translation>
    </message>
    <message>
        <source>Save the summary</source>
        <translation>Guardar el resumen</translation>
    </message>
    <message>
        <source>Edit the summary</source>
        <translation>Editar el resumen</translation>
    </message>
    <message>
        <source>Send again</source>
        <translation>Enviar de nuevo</translation>
    </message>
    <message numerus="yes">
        <source>Made from {count} messages</source>
        <comment>Made from {count} message</comment>
        <translation>
            <numerusform>Hecho de {count} mensaje</numerusform>
            <numerusform>Hecho de {count} mensajes</numerusform>
        </translation>
    </message>
    <message>
        <source>a model</source>
        <translation>un modelo</translation>
    </message>
    <message numerus="yes">
        <source>Version {version}, by {who}, {when}: {count} messages in {tokens} tokens.</source>
        <comment>Version {version}, by {who}, {when}: {count} message in {tokens} tokens.</comment>
        <translation>
            <numerusform>Versión {version}, de {who}, {when}: {count} mensaje en {tokens} tokens.</numerusform>
            <numerusform>Versión {version}, de {who}, {when}: {count} mensajes en {tokens} tokens.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens.</source>
        <comment>Making it took {count} token.</comment>
        <translation>
            <numerusform>Hacerlo llevó {count} token.</numerusform>
            <numerusform>Hacerlo llevó {count} tokens.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens ({price}).</source>
        <comment>Making it took {count} token ({price}).</comment>
        <translation>
            <numerusform>Hacerlo llevó {count} token ({price}).</numerusform>
            <numerusform>Hacerlo llevó {count} tokens ({price}).</numerusform>
        </translation>
    </message>
    <message>
        <source>Summaries are switched off in Settings, Context, for all threads.</source>
        <translation>Los resúmenes están desactivados en Ajustes, Contexto, para todas las conversaciones.</translation>
    </message>
    <message>
        <source>No thread of this project is summarised.</source>
        <translation>No se resume ninguna conversación de este proyecto.</translation>
    </message>
    <message>
        <source>Today&apos;s limit for titles and summaries is reached. Summaries are made again tomorrow.</source>
        <translation>Se alcanzó el límite de hoy para títulos y resúmenes. Los resúmenes se volverán a hacer mañana.</translation>
    </message>
    <message>
        <source>Some of its messages are gone for good, so it is not sent.</source>
        <translation>Algunos de sus mensajes se eliminaron definitivamente, así que no se envía.</translation>
    </message>
    <message>
        <source>It is not sent: you switched it off. Another one is made only when you redo it.</source>
        <translation>No se envía: lo desactivaste. Solo se hará otro si lo rehaces.</translation>
    </message>
    <message>
        <source>It is out of date and not sent: {why}. Redo it to have it sent again.</source>
        <translation>Está desactualizado y no se envía: {why}. Rehazlo para que se envíe de nuevo.</translation>
    </message>
    <message>
        <source>It is out of date and not sent. Redo it to have it sent again.</source>
        <translation>Está desactualizado y no se envía. Rehazlo para que se envíe de nuevo.</translation>
    </message>
    <message>
        <source>Messages that the summary is made from</source>
        <translation>Mensajes de los que está hecho el resumen</translation>
    </message>
    <message>
        <source>All versions of this thread</source>
        <translation>Todas las versiones de esta conversación</translation>
    </message>
    <message>
        <source>{what} of {model}</source>
        <translation>{what} de {model}</translation>
    </message>
    <message>
        <source>version {number} of {count}</source>
        <translation>versión {number} de {count}</translation>
    </message>
    <message>
        <source>removed for good</source>
        <translation>eliminado definitivamente</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>mostrado</translation>
    </message>
    <message>
        <source>{number}k</source>
        <translation>{number}k</translation>
    </message>
    <message>
        <source>{number}M</source>
        <translation>{number}M</translation>
    </message>
    <message>
        <source>at least {cost}</source>
        <translation>al menos {cost}</translation>
    </message>
    <message>
        <source>no price is known</source>
        <translation>no se conoce el precio</translation>
    </message>
    <message>
        <source>In</source>
        <translation>Entrada</translation>
    </message>
    <message>
        <source>Cached</source>
        <translation>Caché</translation>
    </message>
    <message>
        <source>Of them from the provider&apos;s cache</source>
        <translation>De ellos, de la caché del proveedor</translation>
    </message>
    <message>
        <source>Out</source>
        <translation>Salida</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>Pensado</translation>
    </message>
    <message>
        <source>Of them for reasoning</source>
        <translation>De ellos, para razonar</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>Coste</translation>
    </message>
    <message>
        <source>What this thread used</source>
        <translation>Lo que usó esta conversación</translation>
    </message>
    <message>
        <source>Add prices…</source>
        <translation>Añadir precios…</translation>
    </message>
    <message>
        <source>Total</source>
        <translation>Total</translation>
    </message>
    <message>
        <source>{line}, {column}: {value}</source>
        <translation>{line}, {column}: {value}</translation>
    </message>
    <message>
        <source>Tokens and cost by kind of work and model</source>
        <translation>Tokens y coste por tipo de trabajo y modelo</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests</source>
        <comment>{count} request</comment>
        <translation>
            <numerusform>{count} petición</numerusform>
            <numerusform>{count} peticiones</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} in {requests}.</source>
        <translation>{tokens} en {requests}.</translation>
    </message>
    <message>
        <source>{tokens} in {requests}, {cost}.</source>
        <translation>{tokens} en {requests}, {cost}.</translation>
    </message>
    <message numerus="yes">
        <source>The tokens of {count} requests are estimates: the server did not count them.</source>
        <comment>The tokens of {count} request are estimates: the server did not count them.</comment>
        <translation>
            <numerusform>Los tokens de {count} petición son estimaciones: el servidor no los contó.</numerusform>
            <numerusform>Los tokens de {count} peticiones son estimaciones: el servidor no los contó.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens were stored in the provider&apos;s cache.</source>
        <comment>{count} token was stored in the provider&apos;s cache.</comment>
        <translation>
            <numerusform>Se guardó {count} token en la caché del proveedor.</numerusform>
            <numerusform>Se guardaron {count} tokens en la caché del proveedor.</numerusform>
        </translation>
    </message>
    <message>
        <source>No price is known for {models}. The cost leaves it out.</source>
        <translation>No se conoce el precio de {models}. No se incluye en el coste.</translation>
    </message>
    <message>
        <source>{month} {year}</source>
        <translation>{month} de {year}</translation>
    </message>
    <message>
        <source>{day} {month}</source>
        <translation>{day} de {month}</translation>
    </message>
    <message>
        <source>{day} {month} {year}</source>
        <translation>{day} de {month} de {year}</translation>
    </message>
    <message>
        <source>{day}, {time}</source>
        <translation>{day}, {time}</translation>
    </message>
    <message>
        <source>under {amount}</source>
        <translation>menos de {amount}</translation>
    </message>
    <message>
        <source>${amount}</source>
        <translation>{amount}&#xa0;$</translation>
    </message>
    <message>
        <source>in threads with a tag</source>
        <translation>en conversaciones con una etiqueta</translation>
    </message>
    <message>
        <source>written by you or by the model</source>
        <translation>escrito por ti o por el modelo</translation>
    </message>
    <message>
        <source>answered by a model</source>
        <translation>respondido por un modelo</translation>
    </message>
    <message>
        <source>before a day: 2026-05-01, yesterday, 7d</source>
        <translation>antes de un día: 2026-05-01, yesterday, 7d</translation>
    </message>
    <message>
        <source>from a day on: 2026-05-01, yesterday, 7d</source>
        <translation>desde un día: 2026-05-01, yesterday, 7d</translation>
    </message>
    <message>
        <source>with code, an image or a file</source>
        <translation>con código, una imagen o un archivo</translation>
    </message>
    <message>
        <source>pinned, archived or trashed</source>
        <translation>fijado, archivado o en la papelera</translation>
    </message>
    <message>
        <source>Narrow with project: tag: role: model: before: after: has: is: and leave out with -word. &gt; lists commands.</source>
        <translation>Acota con project: tag: role: model: before: after: has: is: y excluye con -palabra. &gt; muestra comandos.</translation>
    </message>
    <message>
        <source>No command matches.</source>
        <translation>Ningún comando coincide.</translation>
    </message>
    <message>
        <source>Filters</source>
        <translation>Filtros</translation>
    </message>
    <message>
        <source>Filter {filter}</source>
        <translation>Filtro {filter}</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>Comandos</translation>
    </message>
    <message>
        <source>Search everything</source>
        <translation>Buscar en todo</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Tab goes to the next group</source>
        <translation>Los resultados están debajo: las flechas arriba y abajo eligen, Tab va al grupo siguiente</translation>
    </message>
    <message>
        <source>Search messages, threads, files and commands</source>
        <translation>Buscar mensajes, conversaciones, archivos y comandos</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Resultados</translation>
    </message>
    <message>
        <source>{found}. First: {row}</source>
        <extracomment>Spoken after a search: how much was found, and the first result, which Enter opens.</extracomment>
        <translation>{found}. Primer resultado: {row}</translation>
    </message>
    <message>
        <source>More messages…</source>
        <translation>Más mensajes…</translation>
    </message>
    <message>
        <source>More threads…</source>
        <translation>Más conversaciones…</translation>
    </message>
    <message>
        <source>More projects…</source>
        <translation>Más proyectos…</translation>
    </message>
    <message>
        <source>More tags…</source>
        <translation>Más etiquetas…</translation>
    </message>
    <message>
        <source>More files…</source>
        <translation>Más archivos…</translation>
    </message>
    <message numerus="yes">
        <source>{count} tags</source>
        <comment>{count} tag</comment>
        <translation>
            <numerusform>{count} etiqueta</numerusform>
            <numerusform>{count} etiquetas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} files</source>
        <comment>{count} file</comment>
        <translation>
            <numerusform>{count} archivo</numerusform>
            <numerusform>{count} archivos</numerusform>
        </translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>Herramienta</translation>
    </message>
    <message>
        <source>Recent threads</source>
        <translation>Conversaciones recientes</translation>
    </message>
    <message>
        <source>more than {found}</source>
        <translation>más de {found}</translation>
    </message>
    <message numerus="yes">
        <source>{count} commands</source>
        <comment>{count} command</comment>
        <translation>
            <numerusform>{count} comando</numerusform>
            <numerusform>{count} comandos</numerusform>
        </translation>
    </message>
    <message>
        <source>today</source>
        <translation>hoy</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>ayer</translation>
    </message>
    <message>
        <source>All results for “{query}”</source>
        <translation>Todos los resultados de «{query}»</translation>
    </message>
    <message>
        <source>archived</source>
        <translation>archivada</translation>
    </message>
    <message>
        <source>another version</source>
        <translation>otra versión</translation>
    </message>
    <message>
        <source>{what}, in {thread}</source>
        <translation>{what}, en {thread}</translation>
    </message>
    <message>
        <source>thread {name}</source>
        <translation>conversación {name}</translation>
    </message>
    <message>
        <source>project {name}</source>
        <translation>proyecto {name}</translation>
    </message>
    <message>
        <source>tag {name}</source>
        <translation>etiqueta {name}</translation>
    </message>
    <message>
        <source>file {name}</source>
        <translation>archivo {name}</translation>
    </message>
    <message numerus="yes">
        <source>more than {count} found in {took} ms</source>
        <comment>more than {count} found in {took} ms</comment>
        <translation>
            <numerusform>más de {count} encontrado en {took} ms</numerusform>
            <numerusform>más de {count} encontrados en {took} ms</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} found in {took} ms</source>
        <comment>{count} found in {took} ms</comment>
        <translation>
            <numerusform>{count} encontrado en {took} ms</numerusform>
            <numerusform>{count} encontrados en {took} ms</numerusform>
        </translation>
    </message>
    <message>
        <source>more than {count} found</source>
        <translation>más de {count} encontrados</translation>
    </message>
    <message numerus="yes">
        <source>{count} found</source>
        <comment>{count} found</comment>
        <translation>
            <numerusform>{count} encontrado</numerusform>
            <numerusform>{count} encontrados</numerusform>
        </translation>
    </message>
    <message>
        <source>Opens the list of what waits</source>
        <translation>Abre la lista de lo que está en espera</translation>
    </message>
    <message>
        <source>Temporary chat, not stored</source>
        <translation>Chat temporal, sin guardar</translation>
    </message>
    <message>
        <source>Opens the temporary chat</source>
        <translation>Abre el chat temporal</translation>
    </message>
    <message>
        <source>{title} (temporary: nothing is stored)</source>
        <translation>{title} (temporal: no se guarda nada)</translation>
    </message>
    <message>
        <source>Sync</source>
        <translation>Sincronización</translation>
    </message>
    <message>
        <source>Opens the details of sync</source>
        <translation>Abre los detalles de la sincronización</translation>
    </message>
    <message numerus="yes">
        <source>{title}, project folder, {count} threads</source>
        <comment>{title}, project folder, {count} thread</comment>
        <translation>
            <numerusform>{title}, carpeta de proyecto, {count} conversación</numerusform>
            <numerusform>{title}, carpeta de proyecto, {count} conversaciones</numerusform>
        </translation>
    </message>
    <message>
        <source>By name</source>
        <translation>Por nombre</translation>
    </message>
    <message>
        <source>Unknown time</source>
        <translation>Fecha desconocida</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Hoy</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Ayer</translation>
    </message>
    <message>
        <source>Previous 7 days</source>
        <translation>Últimos 7 días</translation>
    </message>
    <message>
        <source>Pinned</source>
        <comment>heading</comment>
        <translation>Fijadas</translation>
    </message>
    <message numerus="yes">
        <source>{count} days left</source>
        <comment>{count} day left</comment>
        <translation>
            <numerusform>queda {count} día</numerusform>
            <numerusform>quedan {count} días</numerusform>
        </translation>
    </message>
    <message>
        <source>today {time}</source>
        <translation>hoy {time}</translation>
    </message>
    <message>
        <source>Load the list of threads again</source>
        <translation>Cargar de nuevo la lista de conversaciones</translation>
    </message>
    <message>
        <source>Loading threads…</source>
        <translation>Cargando conversaciones…</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>Papelera</translation>
    </message>
    <message>
        <source>You can only read this project</source>
        <translation>Solo puedes leer este proyecto</translation>
    </message>
    <message numerus="yes">
        <source>Mark {count} threads as read</source>
        <comment>Mark {count} thread as read</comment>
        <translation>
            <numerusform>Marcar {count} conversación como leída</numerusform>
            <numerusform>Marcar {count} conversaciones como leídas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads to a project…</source>
        <comment>Move {count} thread to a project…</comment>
        <translation>
            <numerusform>Mover {count} conversación a un proyecto…</numerusform>
            <numerusform>Mover {count} conversaciones a un proyecto…</numerusform>
        </translation>
    </message>
    <message>
        <source>Tags…</source>
        <translation>Etiquetas…</translation>
    </message>
    <message numerus="yes">
        <source>Export {count} threads…</source>
        <comment>Export {count} thread…</comment>
        <translation>
            <numerusform>Exportar {count} conversación…</numerusform>
            <numerusform>Exportar {count} conversaciones…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete {count} thread</comment>
        <translation>
            <numerusform>Eliminar {count} conversación</numerusform>
            <numerusform>Eliminar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort by last activity</source>
        <translation>Ordenar por última actividad</translation>
    </message>
    <message>
        <source>Sort by name</source>
        <translation>Ordenar por nombre</translation>
    </message>
    <message>
        <source>Group by date</source>
        <translation>Agrupar por fecha</translation>
    </message>
    <message>
        <source>Group by project</source>
        <translation>Agrupar por proyecto</translation>
    </message>
    <message>
        <source>Show one tag</source>
        <translation>Mostrar una etiqueta</translation>
    </message>
    <message>
        <source>All threads</source>
        <translation>Todas las conversaciones</translation>
    </message>
    <message>
        <source>Delete for good…</source>
        <translation>Eliminar definitivamente…</translation>
    </message>
    <message numerus="yes">
        <source>Restore {count} threads</source>
        <comment>Restore {count} thread</comment>
        <translation>
            <numerusform>Restaurar {count} conversación</numerusform>
            <numerusform>Restaurar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete {count} thread for good…</comment>
        <translation>
            <numerusform>Eliminar definitivamente {count} conversación…</numerusform>
            <numerusform>Eliminar definitivamente {count} conversaciones…</numerusform>
        </translation>
    </message>
    <message>
        <source>Unpin</source>
        <comment>thread</comment>
        <translation>Desfijar</translation>
    </message>
    <message>
        <source>Pin</source>
        <comment>thread</comment>
        <translation>Fijar</translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin {count} thread</comment>
        <translation>
            <numerusform>Desfijar {count} conversación</numerusform>
            <numerusform>Desfijar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin {count} thread</comment>
        <translation>
            <numerusform>Fijar {count} conversación</numerusform>
            <numerusform>Fijar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads out of the archive</source>
        <comment>Move {count} thread out of the archive</comment>
        <translation>
            <numerusform>Desarchivar {count} conversación</numerusform>
            <numerusform>Desarchivar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive {count} thread</comment>
        <translation>
            <numerusform>Archivar {count} conversación</numerusform>
            <numerusform>Archivar {count} conversaciones</numerusform>
        </translation>
    </message>
    <message>
        <source>Project {name}, {shared}</source>
        <translation>Proyecto {name}, {shared}</translation>
    </message>
    <message>
        <source>Opens the list of projects</source>
        <translation>Abre la lista de proyectos</translation>
    </message>
    <message>
        <source>deleted {when}</source>
        <translation>eliminada {when}</translation>
    </message>
    <message numerus="yes">
        <source>{count} unread</source>
        <comment>{count} unread</comment>
        <translation>
            <numerusform>{count} sin leer</numerusform>
            <numerusform>{count} sin leer</numerusform>
        </translation>
    </message>
    <message>
        <source>tagged {tags}</source>
        <translation>etiquetada {tags}</translation>
    </message>
    <message>
        <source>pinned</source>
        <comment>thread</comment>
        <translation>fijada</translation>
    </message>
    <message>
        <source>answer is being written</source>
        <translation>se está escribiendo una respuesta</translation>
    </message>
    <message>
        <source>Marked threads</source>
        <translation>Conversaciones marcadas</translation>
    </message>
    <message>
        <source>Mark nothing</source>
        <translation>Quitar las marcas</translation>
    </message>
    <message numerus="yes">
        <source>{count} marked</source>
        <comment>{count} marked</comment>
        <translation>
            <numerusform>{count} marcada</numerusform>
            <numerusform>{count} marcadas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are marked</source>
        <comment>{count} thread is marked</comment>
        <translation>
            <numerusform>{count} conversación está marcada</numerusform>
            <numerusform>{count} conversaciones están marcadas</numerusform>
        </translation>
    </message>
    <message>
        <source>Sidebar</source>
        <translation>Panel lateral</translation>
    </message>
    <message>
        <source>New thread (Ctrl+N)</source>
        <translation>Conversación nueva (Ctrl+N)</translation>
    </message>
    <message>
        <source>Settings (Ctrl+,)</source>
        <translation>Ajustes (Ctrl+,)</translation>
    </message>
    <message>
        <source>Threads, archive or trash</source>
        <translation>Conversaciones, archivo o papelera</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>Abriendo…</translation>
    </message>
    <message>
        <source>Status: {text}</source>
        <translation>Estado: {text}</translation>
    </message>
    <message>
        <source>{what}: {text}</source>
        <translation>{what}: {text}</translation>
    </message>
    <message>
        <source>Title of the thread</source>
        <translation>Título de la conversación</translation>
    </message>
    <message>
        <source>No thread here has the tag “{tag}”.</source>
        <translation>Ninguna conversación de aquí tiene la etiqueta «{tag}».</translation>
    </message>
    <message>
        <source>Nothing is archived.</source>
        <translation>No hay nada archivado.</translation>
    </message>
    <message numerus="yes">
        <source>No thread is in the trash. Deleted threads and messages stay here for {count} days.</source>
        <comment>No thread is in the trash. Deleted threads and messages stay here for {count} day.</comment>
        <translation>
            <numerusform>No hay conversaciones en la papelera. Las conversaciones y mensajes eliminados se quedan aquí {count} día.</numerusform>
            <numerusform>No hay conversaciones en la papelera. Las conversaciones y mensajes eliminados se quedan aquí {count} días.</numerusform>
        </translation>
    </message>
    <message>
        <source>No threads in this project yet. Type a question to begin the first.</source>
        <translation>Aún no hay conversaciones en este proyecto. Escribe una pregunta para empezar la primera.</translation>
    </message>
    <message>
        <source>No threads yet. Type a question to begin the first.</source>
        <translation>Aún no hay conversaciones. Escribe una pregunta para empezar la primera.</translation>
    </message>
    <message>
        <source>{list} · back to threads</source>
        <translation>{list} · volver a las conversaciones</translation>
    </message>
    <message>
        <source>{list} with “{tag}” · show all</source>
        <translation>{list} con «{tag}» · mostrar todo</translation>
    </message>
    <message>
        <source>{name}. {remark}</source>
        <translation>{name}. {remark}</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Imagen</translation>
    </message>
    <message>
        <source>Diagram</source>
        <translation>Diagrama</translation>
    </message>
    <message>
        <source>Attached: {file}</source>
        <translation>Adjunto: {file}</translation>
    </message>
    <message>
        <source>New messages begin here</source>
        <translation>Los mensajes nuevos empiezan aquí</translation>
    </message>
    <message>
        <source>Message tools</source>
        <translation>Herramientas del mensaje</translation>
    </message>
    <message>
        <source>Formula {text}</source>
        <translation>Fórmula {text}</translation>
    </message>
    <message>
        <source>Heading level {level}</source>
        <translation>Encabezado de nivel {level}</translation>
    </message>
    <message>
        <source>List level {level}</source>
        <translation>Lista de nivel {level}</translation>
    </message>
    <message>
        <source>Not fetched, from {host}</source>
        <translation>Sin descargar, de {host}</translation>
    </message>
    <message>
        <source>{column}: {words}</source>
        <translation>{column}: {words}</translation>
    </message>
    <message>
        <source>Column {column}</source>
        <translation>Columna {column}</translation>
    </message>
    <message>
        <source>Row {number}, column {column}</source>
        <translation>Fila {number}, columna {column}</translation>
    </message>
    <message>
        <source>Transcript</source>
        <translation>Texto de la conversación</translation>
    </message>
    <message>
        <source>The first {most_messages} messages were copied.</source>
        <translation>Se copiaron los primeros {most_messages} mensajes.</translation>
    </message>
    <message>
        <source>{weekday}, {moment} {zone}</source>
        <translation>{weekday}, {moment} {zone}</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} s</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} min {seconds} s</translation>
    </message>
    <message>
        <source>It is not an image that can be shown.</source>
        <translation>No es una imagen que se pueda mostrar.</translation>
    </message>
    <message>
        <source>It has too many pixels.</source>
        <translation>Tiene demasiados píxeles.</translation>
    </message>
    <message>
        <source>It is damaged or too large.</source>
        <translation>Está dañada o es demasiado grande.</translation>
    </message>
    <message>
        <source>The file is not there.</source>
        <translation>No se encuentra el archivo.</translation>
    </message>
    <message>
        <source>It is larger than {limit} MB.</source>
        <translation>Supera los {limit} MB.</translation>
    </message>
    <message>
        <source>The file cannot be read.</source>
        <translation>El archivo no se puede leer.</translation>
    </message>
    <message>
        <source>Column {name}: Left and Right choose another, with Shift they change its width, Enter fits all columns again</source>
        <translation>Columna {name}: Izquierda y Derecha eligen otra, con Mayús cambian su ancho, Intro ajusta de nuevo todas las columnas</translation>
    </message>
    <message>
        <source>Previous match (Shift+Enter)</source>
        <translation>Coincidencia anterior (Mayús+Intro)</translation>
    </message>
    <message>
        <source>Next match (Enter)</source>
        <translation>Coincidencia siguiente (Intro)</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Cerrar (Esc)</translation>
    </message>
    <message>
        <source>{number} of {count}+</source>
        <translation>{number} de {count}+</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} de {count}</translation>
    </message>
    <message>
        <source>{count}+ found</source>
        <translation>{count}+ encontradas</translation>
    </message>
    <message>
        <source>Match {place}</source>
        <translation>Coincidencia {place}</translation>
    </message>
    <message numerus="yes">
        <source>{count} found, match {place}</source>
        <comment>{count} found, match {place}</comment>
        <translation>
            <numerusform>{count} encontrada, coincidencia {place}</numerusform>
            <numerusform>{count} encontradas, coincidencia {place}</numerusform>
        </translation>
    </message>
    <message>
        <source>{action}: {reason}</source>
        <translation>{action}: {reason}</translation>
    </message>
    <message>
        <source>New file</source>
        <translation>Archivo nuevo</translation>
    </message>
    <message>
        <source>Change to a file</source>
        <translation>Cambio en un archivo</translation>
    </message>
    <message>
        <source>Removal of a file</source>
        <translation>Eliminación de un archivo</translation>
    </message>
    <message>
        <source>Proposed</source>
        <translation>Propuesto</translation>
    </message>
    <message>
        <source>Applied</source>
        <translation>Aplicado</translation>
    </message>
    <message>
        <source>Rejected</source>
        <translation>Rechazado</translation>
    </message>
    <message>
        <source>Outdated: the file was changed since</source>
        <translation>Desactualizado: el archivo cambió desde entonces</translation>
    </message>
    <message>
        <source>Applied; the file was changed since</source>
        <translation>Aplicado; el archivo cambió desde entonces</translation>
    </message>
    <message>
        <source>The project has no such folder here</source>
        <translation>El proyecto no tiene esa carpeta aquí</translation>
    </message>
    <message>
        <source>Proposed elsewhere, so it cannot be applied here</source>
        <translation>Propuesto en otro lugar, así que no se puede aplicar aquí</translation>
    </message>
    <message>
        <source>Edit the change to {file}</source>
        <translation>Editar el cambio en {file}</translation>
    </message>
    <message>
        <source>Apply…</source>
        <translation>Aplicar…</translation>
    </message>
    <message>
        <source>Apply the change to {file}</source>
        <translation>Aplicar el cambio en {file}</translation>
    </message>
    <message>
        <source>Reject the change to {file}</source>
        <translation>Rechazar el cambio en {file}</translation>
    </message>
    <message>
        <source>Undo the change to {file}</source>
        <translation>Deshacer el cambio en {file}</translation>
    </message>
    <message>
        <source>its beginning</source>
        <translation>su principio</translation>
    </message>
    <message>
        <source>Do not wrap lines</source>
        <translation>No ajustar líneas</translation>
    </message>
    <message>
        <source>Wrap lines</source>
        <translation>Ajustar líneas</translation>
    </message>
    <message>
        <source>Open this page in your browser</source>
        <translation>Abrir esta página en tu navegador</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} lines</source>
        <comment>Show the {count} line</comment>
        <translation>
            <numerusform>Mostrar la línea</numerusform>
            <numerusform>Mostrar las {count} líneas</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer lines</source>
        <translation>Mostrar menos líneas</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>Copiar código</translation>
    </message>
    <message>
        <source>Save code…</source>
        <translation>Guardar código…</translation>
    </message>
    <message>
        <source>Open code as artifact</source>
        <translation>Abrir código como artefacto</translation>
    </message>
    <message>
        <source>Copy {language} code</source>
        <translation>Copiar código {language}</translation>
    </message>
    <message>
        <source>Save {language} code…</source>
        <translation>Guardar código {language}…</translation>
    </message>
    <message>
        <source>Open {language} code as artifact</source>
        <translation>Abrir código {language} como artefacto</translation>
    </message>
    <message>
        <source>Show picture</source>
        <translation>Mostrar imagen</translation>
    </message>
    <message>
        <source>Show diagram</source>
        <translation>Mostrar diagrama</translation>
    </message>
    <message>
        <source>Show source</source>
        <translation>Mostrar código fuente</translation>
    </message>
    <message>
        <source>Markdown</source>
        <translation>Markdown</translation>
    </message>
    <message>
        <source>Document</source>
        <translation>Documento</translation>
    </message>
    <message>
        <source>Slides</source>
        <translation>Diapositivas</translation>
    </message>
    <message>
        <source>Book</source>
        <translation>Libro</translation>
    </message>
    <message>
        <source>Mail</source>
        <translation>Correo</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>file</comment>
        <translation>Archivo comprimido</translation>
    </message>
    <message>
        <source>is being fetched from the team</source>
        <translation>descargándose del equipo</translation>
    </message>
    <message>
        <source>missing on the team&apos;s server; tried again later</source>
        <translation>falta en el servidor del equipo; se volverá a intentar más tarde</translation>
    </message>
    <message>
        <source>not sent</source>
        <translation>no enviado</translation>
    </message>
    <message>
        <source>sent in part</source>
        <translation>enviado en parte</translation>
    </message>
    <message>
        <source>Open {file}</source>
        <translation>Abrir {file}</translation>
    </message>
    <message>
        <source>Save a copy of {file}</source>
        <translation>Guardar una copia de {file}</translation>
    </message>
    <message>
        <source>Show in its folder: {file}</source>
        <translation>Mostrar en su carpeta: {file}</translation>
    </message>
    <message>
        <source>Copy {file}</source>
        <translation>Copiar {file}</translation>
    </message>
    <message>
        <source>Open as artifact: {file}</source>
        <translation>Abrir como artefacto: {file}</translation>
    </message>
    <message>
        <source>{format} file</source>
        <translation>Archivo {format}</translation>
    </message>
    <message>
        <source>Hide {name}</source>
        <translation>Ocultar {name}</translation>
    </message>
    <message>
        <source>Show {name}</source>
        <translation>Mostrar {name}</translation>
    </message>
    <message>
        <source>asked by {name}</source>
        <translation>pregunta de {name}</translation>
    </message>
    <message>
        <source>Load image from {host}</source>
        <translation>Cargar imagen de {host}</translation>
    </message>
    <message>
        <source>Load image from {host} in your own network</source>
        <translation>Cargar imagen de {host} en tu propia red</translation>
    </message>
    <message>
        <source>Load it anyway</source>
        <translation>Cargarla de todos modos</translation>
    </message>
    <message>
        <source>Load image</source>
        <translation>Cargar imagen</translation>
    </message>
    <message>
        <source>from {host}</source>
        <translation>de {host}</translation>
    </message>
    <message>
        <source>not shown</source>
        <translation>sin mostrar</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages ends here · out of date and not sent · Show</source>
        <comment>Summary of {count} message ends here · out of date and not sent · Show</comment>
        <translation>
            <numerusform>El resumen de {count} mensaje termina aquí · desactualizado y no enviado · Mostrar</numerusform>
            <numerusform>El resumen de {count} mensajes termina aquí · desactualizado y no enviado · Mostrar</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages, out of date and not sent</source>
        <comment>Show the summary of {count} message, out of date and not sent</comment>
        <translation>
            <numerusform>Mostrar el resumen de {count} mensaje, desactualizado y no enviado</numerusform>
            <numerusform>Mostrar el resumen de {count} mensajes, desactualizado y no enviado</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarised up to here · {count} messages · Show</source>
        <comment>Summarised up to here · {count} message · Show</comment>
        <translation>
            <numerusform>Resumido hasta aquí · {count} mensaje · Mostrar</numerusform>
            <numerusform>Resumido hasta aquí · {count} mensajes · Mostrar</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages up to here</source>
        <comment>Show the summary of {count} message up to here</comment>
        <translation>
            <numerusform>Mostrar el resumen de {count} mensaje hasta aquí</numerusform>
            <numerusform>Mostrar el resumen de {count} mensajes hasta aquí</numerusform>
        </translation>
    </message>
    <message>
        <source>Note, which the model sees</source>
        <translation>Nota, que ve el modelo</translation>
    </message>
    <message>
        <source>Note, pinned into the context</source>
        <translation>Nota, fijada en el contexto</translation>
    </message>
    <message>
        <source>Note, not sent to the model</source>
        <translation>Nota, no enviada al modelo</translation>
    </message>
    <message>
        <source>Edited by {person}, pinned into the context</source>
        <translation>Editado por {person}, fijado en el contexto</translation>
    </message>
    <message>
        <source>Edited by {person}, excluded from the context</source>
        <translation>Editado por {person}, excluido del contexto</translation>
    </message>
    <message>
        <source>Edited by {person}</source>
        <translation>Editado por {person}</translation>
    </message>
    <message>
        <source>Wide formula: Left and Right move it</source>
        <translation>Fórmula ancha: Izquierda y Derecha la mueven</translation>
    </message>
    <message>
        <source>Trying again…</source>
        <translation>Intentando de nuevo…</translation>
    </message>
    <message>
        <source>Trying again in {time} (attempt {attempt}).</source>
        <translation>Se intentará de nuevo en {time} (intento {attempt}).</translation>
    </message>
    <message>
        <source>This picture is being fetched from the team.</source>
        <translation>Esta imagen se está descargando del equipo.</translation>
    </message>
    <message>
        <source>This picture is missing on the team&apos;s server. ChatDesk tries again later.</source>
        <translation>Esta imagen falta en el servidor del equipo. ChatDesk lo volverá a intentar más tarde.</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>Copiar tabla</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} rows</source>
        <comment>Show the {count} row</comment>
        <translation>
            <numerusform>Mostrar la fila</numerusform>
            <numerusform>Mostrar las {count} filas</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer rows</source>
        <translation>Mostrar menos filas</translation>
    </message>
    <message>
        <source>Waiting for {who}, {duration}</source>
        <translation>Esperando a {who}, {duration}</translation>
    </message>
    <message numerus="yes">
        <source>{count} new messages</source>
        <comment>{count} new message</comment>
        <translation>
            <numerusform>{count} mensaje nuevo</numerusform>
            <numerusform>{count} mensajes nuevos</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to newest</source>
        <translation>Ir a lo más reciente</translation>
    </message>
    <message>
        <source>Jump to newest, {new}</source>
        <translation>Ir a lo más reciente, {new}</translation>
    </message>
    <message>
        <source>This question has no answer.</source>
        <translation>Esta pregunta no tiene respuesta.</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Más</translation>
    </message>
    <message>
        <source>{count} from cache</source>
        <translation>{count} de la caché</translation>
    </message>
    <message>
        <source>{count} cached</source>
        <translation>{count} en caché</translation>
    </message>
    <message>
        <source>you can only read this project</source>
        <translation>solo puedes leer este proyecto</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Tú</translation>
    </message>
    <message>
        <source>System</source>
        <translation>Sistema</translation>
    </message>
    <message>
        <source>{moment}, as the author&apos;s computer says; it came to the team {accepted}</source>
        <translation>{moment} según el dispositivo del autor; llegó al equipo {accepted}</translation>
    </message>
    <message>
        <source>version {number} of {count}, by {person}</source>
        <translation>versión {number} de {count}, de {person}</translation>
    </message>
    <message>
        <source>{person} wrote this</source>
        <translation>{person} escribió esto</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>Intentar ahora</translation>
    </message>
    <message>
        <source>Choose another model…</source>
        <translation>Elegir otro modelo…</translation>
    </message>
    <message>
        <source>Choose a larger model…</source>
        <translation>Elegir un modelo más grande…</translation>
    </message>
    <message>
        <source>Edit the message</source>
        <translation>Editar el mensaje</translation>
    </message>
    <message>
        <source>Shorten</source>
        <translation>Acortar</translation>
    </message>
    <message>
        <source>Change the key…</source>
        <translation>Cambiar la clave…</translation>
    </message>
    <message>
        <source>Check the key…</source>
        <translation>Comprobar la clave…</translation>
    </message>
    <message>
        <source>Open the provider…</source>
        <translation>Abrir el proveedor…</translation>
    </message>
    <message>
        <source>Choose a larger model</source>
        <translation>Elegir un modelo más grande</translation>
    </message>
    <message>
        <source>Send without the image</source>
        <translation>Enviar sin la imagen</translation>
    </message>
    <message>
        <source>Send as attachment excerpt</source>
        <translation>Enviar como extracto adjunto</translation>
    </message>
    <message>
        <source>Edit the system prompt</source>
        <translation>Editar el prompt de sistema</translation>
    </message>
    <message>
        <source>Include it and ask</source>
        <translation>Incluirla y preguntar</translation>
    </message>
    <message>
        <source>Send anyway once</source>
        <translation>Enviar esta vez de todos modos</translation>
    </message>
    <message>
        <source>Raise limit…</source>
        <translation>Subir límite…</translation>
    </message>
    <message>
        <source>Something went wrong. Your message is kept.</source>
        <translation>Algo salió mal. Tu mensaje se conserva.</translation>
    </message>
    <message>
        <source>{person} stopped this answer.</source>
        <translation>{person} detuvo esta respuesta.</translation>
    </message>
    <message>
        <source>You stopped this answer.</source>
        <translation>Detuviste esta respuesta.</translation>
    </message>
    <message>
        <source>The answer reached its maximum length.</source>
        <translation>La respuesta alcanzó su longitud máxima.</translation>
    </message>
    <message>
        <source>ChatDesk of {person} was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>El ChatDesk de {person} se cerró antes de que esta respuesta estuviera completa. Todo lo que llegó se conserva.</translation>
    </message>
    <message>
        <source>ChatDesk was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>ChatDesk se cerró antes de que esta respuesta estuviera completa. Todo lo que llegó se conserva.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk was closed while {count} calls waited for your approval. Nothing was run.</source>
        <comment>ChatDesk was closed while {count} call waited for your approval. Nothing was run.</comment>
        <translation>
            <numerusform>ChatDesk se cerró mientras {count} llamada esperaba tu aprobación. No se ejecutó nada.</numerusform>
            <numerusform>ChatDesk se cerró mientras {count} llamadas esperaban tu aprobación. No se ejecutó nada.</numerusform>
        </translation>
    </message>
    <message>
        <source>Decide…</source>
        <translation>Decidir…</translation>
    </message>
    <message>
        <source>ChatDesk ended while {tool} ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <translation>ChatDesk se cerró mientras {tool} se ejecutaba. Nadie sabe qué hizo, y no se repetirá si tú no lo indicas.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk ended while {count} calls ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <comment>ChatDesk ended while {count} call ran. Nobody knows what it did, and it is not repeated unless you say so.</comment>
        <translation>
            <numerusform>ChatDesk se cerró mientras {count} llamada se ejecutaba. Nadie sabe qué hizo, y no se repetirá si tú no lo indicas.</numerusform>
            <numerusform>ChatDesk se cerró mientras {count} llamadas se ejecutaban. Nadie sabe qué hicieron, y no se repetirán si tú no lo indicas.</numerusform>
        </translation>
    </message>
    <message>
        <source>Run again…</source>
        <translation>Ejecutar de nuevo…</translation>
    </message>
    <message>
        <source>Try at {time}</source>
        <translation>Intentar a las {time}</translation>
    </message>
    <message>
        <source>This text has more than 1 MB, so it is not formatted. Copy it to read it elsewhere.</source>
        <translation>Este texto supera 1 MB, así que no se le da formato. Cópialo para leerlo en otro lugar.</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>Pensando…</translation>
    </message>
    <message>
        <source>Thought for {time}</source>
        <translation>Pensó durante {time}</translation>
    </message>
    <message>
        <source>It is on its way…</source>
        <translation>Está en camino…</translation>
    </message>
    <message>
        <source>{name}: {state}</source>
        <translation>{name}: {state}</translation>
    </message>
    <message>
        <source>under a second</source>
        <translation>menos de un segundo</translation>
    </message>
    <message>
        <source>pinned into the context</source>
        <translation>fijado en el contexto</translation>
    </message>
    <message>
        <source>excluded from the context</source>
        <translation>excluido del contexto</translation>
    </message>
    <message numerus="yes">
        <source>{count} code blocks</source>
        <comment>{count} code block</comment>
        <translation>
            <numerusform>{count} bloque de código</numerusform>
            <numerusform>{count} bloques de código</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tables</source>
        <comment>{count} table</comment>
        <translation>
            <numerusform>{count} tabla</numerusform>
            <numerusform>{count} tablas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} formulas</source>
        <comment>{count} formula</comment>
        <translation>
            <numerusform>{count} fórmula</numerusform>
            <numerusform>{count} fórmulas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} images</source>
        <comment>{count} image</comment>
        <translation>
            <numerusform>{count} imagen</numerusform>
            <numerusform>{count} imágenes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} diagrams</source>
        <comment>{count} diagram</comment>
        <translation>
            <numerusform>{count} diagrama</numerusform>
            <numerusform>{count} diagramas</numerusform>
        </translation>
    </message>
    <message>
        <source>bullet</source>
        <translation>viñeta</translation>
    </message>
    <message>
        <source>not done</source>
        <translation>sin hacer</translation>
    </message>
    <message>
        <source>done</source>
        <translation>hecho</translation>
    </message>
    <message>
        <source>definition</source>
        <translation>definición</translation>
    </message>
    <message>
        <source>edited by {person}</source>
        <translation>editado por {person}</translation>
    </message>
    <message>
        <source>asked by {person}</source>
        <translation>pregunta de {person}</translation>
    </message>
    <message>
        <source>message {number} of {count}</source>
        <translation>mensaje {number} de {count}</translation>
    </message>
    <message>
        <source>note</source>
        <translation>nota</translation>
    </message>
    <message>
        <source>part {number} of {count}</source>
        <translation>parte {number} de {count}</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines</source>
        <comment>{count} line</comment>
        <translation>
            <numerusform>{count} línea</numerusform>
            <numerusform>{count} líneas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Table, {count} columns</source>
        <comment>Table, {count} column</comment>
        <translation>
            <numerusform>Tabla, {count} columna</numerusform>
            <numerusform>Tabla, {count} columnas</numerusform>
        </translation>
    </message>
    <message>
        <source>{table}, rows {first} to {last} of {count}</source>
        <translation>{table}, filas {first} a {last} de {count}</translation>
    </message>
    <message>
        <source>Back to the text</source>
        <translation>Volver al texto</translation>
    </message>
    <message>
        <source>Footnote {number}</source>
        <translation>Nota al pie {number}</translation>
    </message>
    <message>
        <source>{author} is answering</source>
        <translation>{author} está respondiendo</translation>
    </message>
    <message>
        <source>{author} has answered</source>
        <translation>{author} ha respondido</translation>
    </message>
    <message>
        <source>The answer was stopped</source>
        <translation>La respuesta se detuvo</translation>
    </message>
    <message>
        <source>The answer is not complete</source>
        <translation>La respuesta no está completa</translation>
    </message>
    <message>
        <source>Image, {alt}</source>
        <translation>Imagen, {alt}</translation>
    </message>
    <message>
        <source>day</source>
        <translation>día</translation>
    </message>
    <message>
        <source>week</source>
        <translation>semana</translation>
    </message>
    <message>
        <source>month</source>
        <translation>mes</translation>
    </message>
    <message>
        <source>model</source>
        <translation>modelo</translation>
    </message>
    <message>
        <source>project</source>
        <translation>proyecto</translation>
    </message>
    <message>
        <source>kind</source>
        <translation>tipo</translation>
    </message>
    <message>
        <source>Chart of usage</source>
        <translation>Gráfico de uso</translation>
    </message>
    <message>
        <source>Chart of {measure} by {rows}</source>
        <translation>Gráfico de {measure} por {rows}</translation>
    </message>
    <message>
        <source>Arrow keys go from bar to bar; the table below has the same numbers.</source>
        <translation>Las flechas van de barra en barra; la tabla de abajo tiene los mismos números.</translation>
    </message>
    <message>
        <source>{row}: {amount}</source>
        <translation>{row}: {amount}</translation>
    </message>
    <message>
        <source>No requests in these days.</source>
        <translation>Sin peticiones en estos días.</translation>
    </message>
    <message numerus="yes">
        <source>In all {amount} in {count} rows. The largest is {row} with {most}.</source>
        <comment>In all {amount} in {count} row. The largest is {row} with {most}.</comment>
        <translation>
            <numerusform>En total {amount} en {count} fila. La mayor es {row} con {most}.</numerusform>
            <numerusform>En total {amount} en {count} filas. La mayor es {row} con {most}.</numerusform>
        </translation>
    </message>
    <message>
        <source>no price known</source>
        <translation>precio desconocido</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens in {requests}.</source>
        <comment>About {count} token in {requests}.</comment>
        <translation>
            <numerusform>Alrededor de {count} token en {requests}.</numerusform>
            <numerusform>Unos {count} tokens en {requests}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens in {requests}.</source>
        <comment>{count} token in {requests}.</comment>
        <translation>
            <numerusform>{count} token en {requests}.</numerusform>
            <numerusform>{count} tokens en {requests}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Week of {day}</source>
        <translation>Semana del {day}</translation>
    </message>
    <message>
        <source>{weekday}, {day}</source>
        <translation>{weekday}, {day}</translation>
    </message>
    <message>
        <source>cost</source>
        <translation>coste</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>Peticiones</translation>
    </message>
    <message>
        <source>requests</source>
        <translation>peticiones</translation>
    </message>
    <message>
        <source>7 days</source>
        <translation>7 días</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Todo</translation>
    </message>
    <message>
        <source>Own days</source>
        <translation>Personalizado</translation>
    </message>
    <message>
        <source>By day</source>
        <translation>Por día</translation>
    </message>
    <message>
        <source>By model</source>
        <translation>Por modelo</translation>
    </message>
    <message>
        <source>By project</source>
        <translation>Por proyecto</translation>
    </message>
    <message>
        <source>By kind</source>
        <translation>Por tipo</translation>
    </message>
    <message>
        <source>Days</source>
        <comment>period</comment>
        <translation>Periodo</translation>
    </message>
    <message>
        <source>First day</source>
        <translation>Primer día</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>Último día</translation>
    </message>
    <message>
        <source>What the bars show</source>
        <translation>Qué muestran las barras</translation>
    </message>
    <message>
        <source>Export CSV…</source>
        <translation>Exportar CSV…</translation>
    </message>
    <message>
        <source>Cost: {cost}.</source>
        <translation>Coste: {cost}.</translation>
    </message>
    <message>
        <source>No price is known for these models.</source>
        <translation>No se conoce el precio de estos modelos.</translation>
    </message>
    <message numerus="yes">
        <source>≈: the tokens of {count} requests are estimates.</source>
        <comment>≈: the tokens of {count} request are estimates.</comment>
        <translation>
            <numerusform>≈: los tokens de {count} petición son estimaciones.</numerusform>
            <numerusform>≈: los tokens de {count} peticiones son estimaciones.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>No price is known for {count} requests; the cost leaves them out.</source>
        <comment>No price is known for {count} request; the cost leaves them out.</comment>
        <translation>
            <numerusform>No se conoce el precio de {count} petición; el coste no la incluye.</numerusform>
            <numerusform>No se conoce el precio de {count} peticiones; el coste no las incluye.</numerusform>
        </translation>
    </message>
    <message>
        <source>Tokens in</source>
        <translation>Tokens de entrada</translation>
    </message>
    <message>
        <source>From cache</source>
        <translation>De la caché</translation>
    </message>
    <message>
        <source>Of them read from the provider&apos;s cache</source>
        <translation>De ellos, leídos de la caché del proveedor</translation>
    </message>
    <message>
        <source>Of them written to the provider&apos;s cache</source>
        <translation>De ellos, escritos en la caché del proveedor</translation>
    </message>
    <message>
        <source>Tokens out</source>
        <translation>Tokens de salida</translation>
    </message>
    <message>
        <source>Week</source>
        <translation>Semana</translation>
    </message>
    <message>
        <source>Month</source>
        <translation>Mes</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>Día</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>Tipo</translation>
    </message>
    <message>
        <source>Usage as a table</source>
        <translation>El uso como tabla</translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation>Cerrar este aviso</translation>
    </message>
    <message>
        <source>{percent}%</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>nearly full</source>
        <translation>casi lleno</translation>
    </message>
    <message>
        <source>filling up</source>
        <translation>llenándose</translation>
    </message>
    <message>
        <source>Context used: {percentage}</source>
        <translation>Contexto usado: {percentage}</translation>
    </message>
    <message>
        <source>Context of this thread</source>
        <translation>Contexto de esta conversación</translation>
    </message>
    <message>
        <source>How full the context is</source>
        <translation>Ocupación del contexto</translation>
    </message>
    <message>
        <source>Show what is sent</source>
        <translation>Mostrar lo que se envía</translation>
    </message>
    <message>
        <source>Explain a stack trace</source>
        <translation>Explicar un error</translation>
    </message>
    <message>
        <source>Paste it; get the cause and the fix</source>
        <translation>Pégalo; obtén la causa y la solución</translation>
    </message>
    <message>
        <source>Explain this error. What causes it, and how do I fix it?

</source>
        <translation>Explica este error. ¿Qué lo causa y cómo lo soluciono?

</translation>
    </message>
    <message>
        <source>Summarise a document</source>
        <translation>Resumir un documento</translation>
    </message>
    <message>
        <source>Drop a PDF or a text file</source>
        <translation>Suelta un PDF o un archivo de texto</translation>
    </message>
    <message>
        <source>Summarise this document: the main points first, then what is left open.</source>
        <translation>Resume este documento: primero los puntos principales, luego lo que queda pendiente.</translation>
    </message>
    <message>
        <source>Make a comparison table</source>
        <translation>Hacer una tabla comparativa</translation>
    </message>
    <message>
        <source>Options against criteria</source>
        <translation>Opciones frente a criterios</translation>
    </message>
    <message>
        <source>Compare these options in a table, by cost, effort and risk:
- </source>
        <translation>Compara estas opciones en una tabla, por coste, esfuerzo y riesgo:
- </translation>
    </message>
    <message>
        <source>From a ChatGPT or Claude export</source>
        <translation>De una exportación de ChatGPT o Claude</translation>
    </message>
    <message>
        <source>What ChatDesk can do</source>
        <translation>Lo que ChatDesk puede hacer</translation>
    </message>
    <message>
        <source>See an answer</source>
        <translation>Ver una respuesta</translation>
    </message>
    <message>
        <source>With code, a table and a formula</source>
        <translation>Con código, una tabla y una fórmula</translation>
    </message>
    <message>
        <source>A key, or a server of your own</source>
        <translation>Una clave o un servidor propio</translation>
    </message>
    <message>
        <source>See what goes with it, and save it</source>
        <translation>Ver lo que incluye y guardarlo</translation>
    </message>
    <message>
        <source>Nothing is changed</source>
        <translation>No se cambia nada</translation>
    </message>
    <message>
        <source>See what is in it first</source>
        <translation>Ver antes lo que contiene</translation>
    </message>
    <message>
        <source>What are you working on?</source>
        <translation>¿En qué estás trabajando?</translation>
    </message>
    <message>
        <source>Your threads could not be opened</source>
        <translation>No se pudieron abrir tus conversaciones</translation>
    </message>
    <message>
        <source>Opening your threads…</source>
        <translation>Abriendo tus conversaciones…</translation>
    </message>
    <message>
        <source>If you restore a backup, the database as it is now is kept.</source>
        <translation>Si restauras una copia, se conserva la base de datos actual.</translation>
    </message>
    <message>
        <source>{size} KB</source>
        <translation>{size} KB</translation>
    </message>
    <message>
        <source>{size} MB</source>
        <translation>{size} MB</translation>
    </message>
    <message>
        <source>{first} is typing…</source>
        <translation>{first} está escribiendo…</translation>
    </message>
    <message>
        <source>{first} and {second} are typing…</source>
        <translation>{first} y {second} están escribiendo…</translation>
    </message>
    <message numerus="yes">
        <source>{count} people are typing…</source>
        <comment>{count} person is typing…</comment>
        <translation>
            <numerusform>{count} persona está escribiendo…</numerusform>
            <numerusform>{count} personas están escribiendo…</numerusform>
        </translation>
    </message>
    <message>
        <source>Here now: {names}</source>
        <translation>Ahora aquí: {names}</translation>
    </message>
    <message>
        <source>Temporary</source>
        <translation>Temporal</translation>
    </message>
    <message>
        <source>Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it.</source>
        <translation>No se guarda nada de este chat. Desaparece cuando se cierra ChatDesk, salvo que lo conserves.</translation>
    </message>
    <message>
        <source>Store this chat with all its messages</source>
        <translation>Guardar este chat con todos sus mensajes</translation>
    </message>
    <message>
        <source>Keep this chat</source>
        <translation>Conservar este chat</translation>
    </message>
    <message>
        <source>Temporary. {meaning}</source>
        <translation>Temporal. {meaning}</translation>
    </message>
    <message>
        <source>Thread header</source>
        <translation>Cabecera de la conversación</translation>
    </message>
    <message>
        <source>Show the sidebar</source>
        <translation>Mostrar el panel lateral</translation>
    </message>
    <message>
        <source>Questions of this thread</source>
        <translation>Preguntas de esta conversación</translation>
    </message>
    <message>
        <source>More about this thread</source>
        <translation>Más sobre esta conversación</translation>
    </message>
    <message>
        <source>Close this chat</source>
        <translation>Cerrar este chat</translation>
    </message>
    <message>
        <source>Thread title</source>
        <translation>Título de la conversación</translation>
    </message>
    <message>
        <source>Paste your API key</source>
        <translation>Pega tu clave de API</translation>
    </message>
    <message>
        <source>Show the key</source>
        <translation>Mostrar la clave</translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation>Ocultar la clave</translation>
    </message>
    <message>
        <source>Opens {url} in the browser.</source>
        <translation>Abre {url} en el navegador.</translation>
    </message>
    <message>
        <source>{others} and {last}</source>
        <translation>{others} y {last}</translation>
    </message>
    <message>
        <source>, </source>
        <translation>, </translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>Elegir un modelo</translation>
    </message>
    <message>
        <source>Up and Down move, Enter chooses, Ctrl+D marks a favourite.</source>
        <translation>Arriba y Abajo mueven, Intro elige, Ctrl+D marca un favorito.</translation>
    </message>
    <message>
        <source>Fetch the lists of models again</source>
        <translation>Obtener de nuevo las listas de modelos</translation>
    </message>
    <message>
        <source>Add provider…</source>
        <translation>Añadir proveedor…</translation>
    </message>
    <message>
        <source>No model matches.</source>
        <translation>Ningún modelo coincide.</translation>
    </message>
    <message>
        <source>There is no model yet. Add a provider.</source>
        <translation>Aún no hay ningún modelo. Añade un proveedor.</translation>
    </message>
    <message>
        <source>Marked as a favourite</source>
        <translation>Marcado como favorito</translation>
    </message>
    <message>
        <source>No longer a favourite</source>
        <translation>Ya no es favorito</translation>
    </message>
    <message>
        <source>Model: {text}</source>
        <translation>Modelo: {text}</translation>
    </message>
    <message>
        <source>{text}: choose another model</source>
        <translation>{text}: elegir otro modelo</translation>
    </message>
    <message>
        <source>Favourites</source>
        <translation>Favoritos</translation>
    </message>
    <message>
        <source>favourite</source>
        <translation>favorito</translation>
    </message>
    <message>
        <source>chosen</source>
        <translation>elegido</translation>
    </message>
    <message>
        <source>Find a project</source>
        <translation>Buscar un proyecto</translation>
    </message>
    <message>
        <source>open</source>
        <translation>abierto</translation>
    </message>
    <message>
        <source>No project matches.</source>
        <translation>Ningún proyecto coincide.</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>Borrar la búsqueda</translation>
    </message>
    <message>
        <source>Border between the two chats</source>
        <translation>Borde entre los dos chats</translation>
    </message>
    <message>
        <source>Chat at the left</source>
        <translation>Chat de la izquierda</translation>
    </message>
    <message>
        <source>Chat at the right</source>
        <translation>Chat de la derecha</translation>
    </message>
    <message>
        <source>Active: commands act here</source>
        <translation>Activo: los comandos actúan aquí</translation>
    </message>
    <message>
        <source>Chats of this window</source>
        <translation>Chats de esta ventana</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>Barra de menús</translation>
    </message>
    <message>
        <source>Show the menu bar</source>
        <translation>Mostrar la barra de menús</translation>
    </message>
    <message>
        <source>Hide the menu bar</source>
        <translation>Ocultar la barra de menús</translation>
    </message>
    <message>
        <source>Hide the sidebar</source>
        <translation>Ocultar el panel lateral</translation>
    </message>
    <message>
        <source>The sidebar is shown</source>
        <translation>El panel lateral está visible</translation>
    </message>
    <message>
        <source>The sidebar is hidden</source>
        <translation>El panel lateral está oculto</translation>
    </message>
    <message>
        <source>{title} – ChatDesk</source>
        <translation>{title} – ChatDesk</translation>
    </message>
    <message>
        <source>usage: </source>
        <translation>uso: </translation>
    </message>
    <message>
        <source>positional arguments</source>
        <translation>argumentos</translation>
    </message>
    <message>
        <source>options</source>
        <translation>opciones</translation>
    </message>
    <message>
        <source>show this help message and exit</source>
        <translation>muestra esta ayuda y termina</translation>
    </message>
    <message>
        <source>show program&apos;s version number and exit</source>
        <translation>muestra la versión del programa y termina</translation>
    </message>
    <message>
        <source>%(prog)s: error: %(message)s
</source>
        <translation>%(prog)s: error: %(message)s
</translation>
    </message>
    <message>
        <source>argument %(argument_name)s: %(message)s</source>
        <translation>argumento %(argument_name)s: %(message)s</translation>
    </message>
    <message>
        <source>the following arguments are required: %s</source>
        <translation>faltan estos argumentos: %s</translation>
    </message>
    <message>
        <source>one of the arguments %s is required</source>
        <translation>hace falta uno de los argumentos %s</translation>
    </message>
    <message>
        <source>expected one argument</source>
        <translation>se espera un valor</translation>
    </message>
    <message>
        <source>expected at most one argument</source>
        <translation>se espera un valor como máximo</translation>
    </message>
    <message>
        <source>expected at least one argument</source>
        <translation>se espera al menos un valor</translation>
    </message>
    <message>
        <source>invalid choice: %(value)r (choose from %(choices)s)</source>
        <translation>opción no válida: %(value)r (elige entre %(choices)s)</translation>
    </message>
    <message>
        <source>invalid %(type)s value: %(value)r</source>
        <translation>valor no válido (%(type)s): %(value)r</translation>
    </message>
    <message>
        <source>unrecognized arguments: %s</source>
        <translation>argumentos no reconocidos: %s</translation>
    </message>
    <message>
        <source>not allowed with argument %s</source>
        <translation>no se permite con el argumento %s</translation>
    </message>
    <message>
        <source>ambiguous option: %(option)s could match %(matches)s</source>
        <translation>opción ambigua: %(option)s puede ser %(matches)s</translation>
    </message>
    <message>
        <source>ignored explicit argument %r</source>
        <translation>valor inesperado: %r</translation>
    </message>
    <message numerus="yes">
        <source>expected %s arguments</source>
        <comment>expected %s argument</comment>
        <translation>
            <numerusform>se espera %s valor</numerusform>
            <numerusform>se esperan %s valores</numerusform>
        </translation>
    </message>
    <message>
        <source>invited</source>
        <translation>invitado</translation>
    </message>
    <message>
        <source>active</source>
        <translation>activo</translation>
    </message>
    <message>
        <source>removed</source>
        <translation>quitado</translation>
    </message>
    <message>
        <source>warning</source>
        <translation>advertencia</translation>
    </message>
    <message>
        <source>Recovered messages</source>
        <translation>Mensajes recuperados</translation>
    </message>
    <message>
        <source>Not taken by the team</source>
        <translation>No aceptado por el equipo</translation>
    </message>
    <message>
        <source>{title} (branch)</source>
        <translation>{title} (rama)</translation>
    </message>
    <message>
        <source>Server at port {port}</source>
        <translation>Servidor en el puerto {port}</translation>
    </message>
    <message>
        <source>It answers</source>
        <translation>Responde</translation>
    </message>
    <message>
        <source>Lets ChatDesk search</source>
        <translation>Permite a ChatDesk buscar</translation>
    </message>
    <message>
        <source>Finds pages</source>
        <translation>Encuentra páginas</translation>
    </message>
    <message>
        <source>New</source>
        <comment>messages</comment>
        <translation>Nuevo</translation>
    </message>
    <message>
        <source>Works</source>
        <translation>Funciona</translation>
    </message>
    <message>
        <source>Does not work</source>
        <translation>No funciona</translation>
    </message>
    <message>
        <source>{who} offers no embeddings.</source>
        <translation>{who} no ofrece embeddings.</translation>
    </message>
    <message>
        <source>The counters of thread {thread} are wrong.</source>
        <translation>Los contadores de la conversación {thread} son incorrectos.</translation>
    </message>
    <message>
        <source>The last shown message of thread {thread} is wrong.</source>
        <translation>El último mensaje mostrado de la conversación {thread} es incorrecto.</translation>
    </message>
    <message>
        <source>The attached file {name} is missing.</source>
        <translation>Falta el archivo adjunto {name}.</translation>
    </message>
    <message>
        <source>The attached file {name} is not what was saved.</source>
        <translation>El archivo adjunto {name} no es el que se guardó.</translation>
    </message>
    <message>
        <source>The attached file {name} is a link to another file.</source>
        <translation>El archivo adjunto {name} es un enlace a otro archivo.</translation>
    </message>
    <message>
        <source>The attached file {name} cannot be read.</source>
        <translation>No se puede leer el archivo adjunto {name}.</translation>
    </message>
    <message>
        <source>SQLite reports: {report}.</source>
        <translation>SQLite informa: {report}.</translation>
    </message>
    <message>
        <source>A row of {table} points to a missing row of {missing}.</source>
        <translation>Una fila de {table} apunta a una fila de {missing} que falta.</translation>
    </message>
    <message>
        <source>The text of message {message} is not what was saved.</source>
        <translation>El texto del mensaje {message} no es el que se guardó.</translation>
    </message>
    <message>
        <source>This question is no longer waiting.</source>
        <translation>Esta pregunta ya no está en espera.</translation>
    </message>
    <message>
        <source>It did not arrive completely.</source>
        <translation>No llegó entera.</translation>
    </message>
    <message>
        <source>This provider no longer exists.</source>
        <translation>Ese proveedor ya no existe.</translation>
    </message>
    <message>
        <source>This answer is no longer waiting.</source>
        <translation>Esta respuesta ya no está en espera.</translation>
    </message>
    <message>
        <source>This file contains more messages than can be read at once.</source>
        <translation>Este archivo contiene más mensajes de los que se pueden leer a la vez.</translation>
    </message>
    <message>
        <source>ChatDesk keeps running in the tray. To end it, choose Quit there or in the menu.</source>
        <translation>ChatDesk sigue en marcha en la bandeja. Para cerrarlo del todo, elige Salir allí o en el menú.</translation>
    </message>
    <message>
        <source>unknown time</source>
        <translation>fecha desconocida</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there.</source>
        <translation>El proxy que indica el sistema no se puede usar: {proxy}. Indica allí un proxy HTTP.</translation>
    </message>
    <message>
        <source>The proxy wants a user name and a password: {proxy}. Nothing was sent.</source>
        <translation>El proxy pide un nombre de usuario y una contraseña: {proxy}. No se envió nada.</translation>
    </message>
    <message>
        <source>Write them into its address, as in http://name:password@proxy:3128.</source>
        <translation>Escríbelos en su dirección, como en http://name:password@proxy:3128.</translation>
    </message>
    <message>
        <source>The proxy let nothing through ({answer}): {proxy}.</source>
        <translation>El proxy no dejó pasar nada ({answer}): {proxy}.</translation>
    </message>
    <message>
        <source>Ask who runs it, or set the proxy of this provider in Settings, Providers.</source>
        <translation>Pregunta a quien lo administra, o define el proxy de este proveedor en Ajustes, Proveedores.</translation>
    </message>
    <message>
        <source>The proxy could not be reached: {proxy}. Nothing was sent.</source>
        <translation>No se pudo acceder al proxy: {proxy}. No se envió nada.</translation>
    </message>
    <message>
        <source>Check the proxy, or set the proxy of this provider in Settings, Providers.</source>
        <translation>Comprueba el proxy, o define el proxy de este proveedor en Ajustes, Proveedores.</translation>
    </message>
    <message>
        <source>Upgrading a copy of the database…</source>
        <translation>Actualizando una copia de la base de datos…</translation>
    </message>
    <message>
        <source>The row {row} of {table} has values that cannot be: {columns}.</source>
        <translation>La fila {row} de {table} tiene valores imposibles: {columns}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} values of {table} were replaced.</source>
        <comment>{count} value of {table} was replaced.</comment>
        <translation>
            <numerusform>Se sustituyó {count} valor de {table}.</numerusform>
            <numerusform>Se sustituyeron {count} valores de {table}.</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is not a file.</source>
        <translation>{path} no es un archivo.</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}).</source>
        <translation>No se puede leer {path} ({reason}).</translation>
    </message>
    <message>
        <source>{path} is damaged.</source>
        <translation>{path} está dañado.</translation>
    </message>
    <message>
        <source>own files</source>
        <translation>archivos propios</translation>
    </message>
    <message>
        <source>ChatDesk goes on without it.</source>
        <translation>ChatDesk sigue sin él.</translation>
    </message>
    <message>
        <source>Damaged files were kept in {directory} as {names}. Remove them when you no longer need them.</source>
        <translation>Se guardaron archivos dañados en {directory} como {names}. Quítalos cuando ya no los necesites.</translation>
    </message>
    <message>
        <source>file of {subject}</source>
        <translation>archivo ({subject})</translation>
    </message>
    <message>
        <source>Empty or damaged, so that they count as no backups: {names}.</source>
        <translation>Vacías o dañadas, por lo que no cuentan como copias de seguridad: {names}.</translation>
    </message>
    <message>
        <source>Remove them from {directory}.</source>
        <translation>Quítalas de {directory}.</translation>
    </message>
    <message>
        <source>backups</source>
        <translation>copias de seguridad</translation>
    </message>
    <message>
        <source>import</source>
        <translation>importar</translation>
    </message>
    <message>
        <source>choose the model</source>
        <translation>elegir el modelo</translation>
    </message>
    <message>
        <source>attach a file</source>
        <translation>adjuntar un archivo</translation>
    </message>
    <message>
        <source>These braces are not closed. Write }} after the name, or a backslash before mere braces.</source>
        <translation>Estas llaves no están cerradas. Escribe }} tras el nombre, o una barra invertida delante si son solo llaves.</translation>
    </message>
    <message>
        <source>A variable needs a name between its braces.</source>
        <translation>Una variable necesita un nombre entre sus llaves.</translation>
    </message>
    <message>
        <source>A name begins with a letter and has letters, digits, spaces, - and _ only. It is inserted as it is written.</source>
        <translation>Un nombre empieza por una letra y solo tiene letras, cifras, espacios, - y _. Se inserta tal como está escrito.</translation>
    </message>
    <message>
        <source>Line {line}, column {column}: {problem}</source>
        <translation>Línea {line}, columna {column}: {problem}</translation>
    </message>
    <message>
        <source>{variable} has {count} characters; the first {kept} were inserted.</source>
        <translation>{variable} tiene {count} caracteres; se insertaron los primeros {kept}.</translation>
    </message>
    <message>
        <source>The text was cut after {count} characters.</source>
        <translation>El texto se cortó tras {count} caracteres.</translation>
    </message>
    <message>
        <source>A name has at most {count} characters. It is inserted as it is written.</source>
        <translation>Un nombre tiene como máximo {count} caracteres. Se inserta tal como está escrito.</translation>
    </message>
    <message>
        <source>{variable} means nothing in a system prompt.</source>
        <translation>{variable} no significa nada en un prompt de sistema.</translation>
    </message>
    <message>
        <source>{variable} takes nothing after its name, so this is inserted as it is written.</source>
        <translation>{variable} no admite nada tras su nombre, así que se inserta tal como está escrito.</translation>
    </message>
    <message>
        <source>This format is not known. Use parts as in {example}, or {variable} alone. It is inserted as it is written.</source>
        <translation>Este formato no se conoce. Usa partes como en {example}, o {variable} solo. Se inserta tal como está escrito.</translation>
    </message>
    <message>
        <source>{variable} is not known in a system prompt.</source>
        <translation>{variable} no se conoce en un prompt de sistema.</translation>
    </message>
    <message>
        <source>Write 1 to {count} choices, such as {example}.</source>
        <translation>Escribe de 1 a {count} opciones, por ejemplo {example}.</translation>
    </message>
    <message>
        <source>A template has at most {count} fields. This one stays as it is written.</source>
        <translation>Una plantilla tiene como máximo {count} campos. Este queda tal como está escrito.</translation>
    </message>
    <message>
        <source>{variable} is asked for as a field.</source>
        <translation>{variable} se pide como un campo.</translation>
    </message>
    <message>
        <source>Did you mean {variable}?</source>
        <translation>¿Querías decir {variable}?</translation>
    </message>
    <message>
        <source>Only {names} are known there; this is sent as it is written.</source>
        <translation>Allí solo se conocen {names}; esto se envía tal como está escrito.</translation>
    </message>
    <message>
        <source>The model gave an empty summary.</source>
        <translation>El modelo dio un resumen vacío.</translation>
    </message>
    <message>
        <source>The model gave a summary that says nothing.</source>
        <translation>El modelo dio un resumen sin contenido.</translation>
    </message>
    <message>
        <source>The model refused to summarise.</source>
        <translation>El modelo se negó a resumir.</translation>
    </message>
    <message>
        <source>The model gave a summary that is longer than the messages.</source>
        <translation>El modelo dio un resumen más largo que los mensajes.</translation>
    </message>
    <message>
        <source>The model did not finish its summary.</source>
        <translation>El modelo no terminó su resumen.</translation>
    </message>
    <message>
        <source>This link cannot be opened: it names neither a thread nor an invitation.</source>
        <translation>No se puede abrir este enlace: no indica ni una conversación ni una invitación.</translation>
    </message>
    <message>
        <source>Ask the person who gave it to you to copy it again.</source>
        <translation>Pide a la persona que te lo dio que lo copie de nuevo.</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Detalles</translation>
    </message>
    <message>
        <source>{kilobytes} KB, damaged or too large</source>
        <translation>{kilobytes} KB, dañado o demasiado grande</translation>
    </message>
    <message>
        <source>too large for a table</source>
        <translation>demasiado grande para una tabla</translation>
    </message>
    <message>
        <source>Note</source>
        <comment>callout</comment>
        <translation>Nota</translation>
    </message>
    <message>
        <source>Tip</source>
        <comment>callout</comment>
        <translation>Consejo</translation>
    </message>
    <message>
        <source>Important</source>
        <comment>callout</comment>
        <translation>Importante</translation>
    </message>
    <message>
        <source>Warning</source>
        <comment>callout</comment>
        <translation>Advertencia</translation>
    </message>
    <message>
        <source>Caution</source>
        <comment>callout</comment>
        <translation>Precaución</translation>
    </message>
    <message>
        <source>This diagram could not be drawn</source>
        <translation>No se pudo dibujar este diagrama</translation>
    </message>
    <message>
        <source>Diagrams cannot be drawn on this computer</source>
        <translation>En este dispositivo no se pueden dibujar diagramas</translation>
    </message>
    <message>
        <source>This picture could not be drawn</source>
        <translation>No se pudo dibujar esta imagen</translation>
    </message>
    <message>
        <source>Erased project</source>
        <translation>Proyecto borrado</translation>
    </message>
    <message>
        <source>Shared project</source>
        <translation>Proyecto compartido</translation>
    </message>
    <message>
        <source>The team&apos;s database reports: {reason}</source>
        <translation>La base de datos del equipo informa: {reason}</translation>
    </message>
    <message>
        <source>This file of the project&apos;s folder cannot be used.</source>
        <translation>No se puede usar este archivo de la carpeta del proyecto.</translation>
    </message>
    <message>
        <source>This path is too long, or has characters that cannot be seen.</source>
        <translation>Esta ruta es demasiado larga, o tiene caracteres que no se ven.</translation>
    </message>
    <message>
        <source>Paths begin at the project&apos;s folder: “src/main.py”, for example.</source>
        <translation>Las rutas empiezan en la carpeta del proyecto: por ejemplo, «src/main.py».</translation>
    </message>
    <message>
        <source>A path cannot lead out of the project&apos;s folder.</source>
        <translation>Una ruta no puede salir de la carpeta del proyecto.</translation>
    </message>
    <message>
        <source>This path is too deep.</source>
        <translation>Esta ruta es demasiado profunda.</translation>
    </message>
    <message>
        <source>“{name}” usually holds secrets, or is managed by a program, so no tool may use it.</source>
        <translation>«{name}» suele tener secretos, o lo gestiona un programa, así que ninguna herramienta puede usarlo.</translation>
    </message>
    <message>
        <source>The project&apos;s folder cannot be opened, or there is a link on the way to it.</source>
        <translation>No se puede abrir la carpeta del proyecto, o hay un enlace en el camino.</translation>
    </message>
    <message>
        <source>Choose it again in the project&apos;s dialog.</source>
        <translation>Elígela de nuevo en el diálogo del proyecto.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device. Links are not followed.</source>
        <translation>«{name}» no es un archivo, sino una carpeta, un enlace o un dispositivo. Los enlaces no se siguen.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device.</source>
        <translation>«{name}» no es un archivo, sino una carpeta, un enlace o un dispositivo.</translation>
    </message>
    <message>
        <source>“{name}” is no longer a file.</source>
        <translation>«{name}» ya no es un archivo.</translation>
    </message>
    <message>
        <source>“{name}” has a second name (a hard link), perhaps outside of the project&apos;s folder.</source>
        <translation>«{name}» tiene un segundo nombre (un enlace físico), quizá fuera de la carpeta del proyecto.</translation>
    </message>
    <message>
        <source>Copy it if tools are to use it.</source>
        <translation>Cópialo si las herramientas deben usarlo.</translation>
    </message>
    <message>
        <source>“{name}” is too large; the limit is {most}.</source>
        <translation>«{name}» es demasiado grande; el límite es de {most}.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder, or there is a link on the way. Links are not followed.</source>
        <translation>«{name}» no es una carpeta, o hay un enlace en el camino. Los enlaces no se siguen.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a link. Links are not followed.</source>
        <translation>«{name}» no es un archivo, sino un enlace. Los enlaces no se siguen.</translation>
    </message>
    <message>
        <source>There is no folder “{name}” in the project&apos;s folder.</source>
        <translation>No hay ninguna carpeta «{name}» en la carpeta del proyecto.</translation>
    </message>
    <message>
        <source>There is no file “{name}” in the project&apos;s folder.</source>
        <translation>No hay ningún archivo «{name}» en la carpeta del proyecto.</translation>
    </message>
    <message>
        <source>You may not read “{name}”.</source>
        <translation>No tienes permiso para leer «{name}».</translation>
    </message>
    <message>
        <source>“{name}” cannot be opened: {reason}.</source>
        <translation>No se puede abrir «{name}»: {reason}.</translation>
    </message>
    <message>
        <source>The file was changed after the change was proposed.</source>
        <translation>El archivo se cambió después de proponer el cambio.</translation>
    </message>
    <message>
        <source>Ask the model to read the file again and to propose the change again.</source>
        <translation>Pide al modelo que lea el archivo otra vez y proponga de nuevo el cambio.</translation>
    </message>
    <message>
        <source>The file was removed after the change was proposed.</source>
        <translation>El archivo se eliminó después de proponer el cambio.</translation>
    </message>
    <message>
        <source>There is already a file with that name.</source>
        <translation>Ya hay un archivo con ese nombre.</translation>
    </message>
    <message>
        <source>The file belongs to another user of this computer.</source>
        <translation>El archivo es de otro usuario de este dispositivo.</translation>
    </message>
    <message>
        <source>The file is write-protected.</source>
        <translation>El archivo está protegido contra escritura.</translation>
    </message>
    <message>
        <source>Remove the protection, then try again.</source>
        <translation>Quita la protección e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>The disk of “{name}” is full.</source>
        <translation>El disco de «{name}» está lleno.</translation>
    </message>
    <message>
        <source>Free some space, then try again.</source>
        <translation>Libera espacio e inténtalo de nuevo.</translation>
    </message>
    <message>
        <source>You may not write to “{name}”.</source>
        <translation>No tienes permiso para escribir en «{name}».</translation>
    </message>
    <message>
        <source>“{name}” could not be written: {reason}.</source>
        <translation>No se pudo escribir en «{name}»: {reason}.</translation>
    </message>
    <message>
        <source>It no longer knows the session.</source>
        <translation>Ya no conoce la sesión.</translation>
    </message>
    <message>
        <source>something</source>
        <translation>otra cosa</translation>
    </message>
    <message>
        <source>It answered with {kind}, not with a message of the protocol. Is its address right?</source>
        <translation>Respondió con {kind}, no con un mensaje del protocolo. ¿Es correcta su dirección?</translation>
    </message>
    <message>
        <source>The connection ended before it answered.</source>
        <translation>La conexión terminó antes de que respondiera.</translation>
    </message>
    <message>
        <source>It answered with status {status}.</source>
        <translation>Respondió con el estado {status}.</translation>
    </message>
    <message>
        <source>ChatDesk does not speak the older transport with two addresses (SSE): is there one that ends with /mcp?</source>
        <translation>ChatDesk no admite el transporte antiguo con dos direcciones (SSE): ¿hay una que termine en /mcp?</translation>
    </message>
    <message>
        <source>It sent more than {most} values in one message.</source>
        <translation>Envió más de {most} valores en un mensaje.</translation>
    </message>
    <message>
        <source>It is larger than {most}.</source>
        <translation>Supera el límite de {most}.</translation>
    </message>
    <message>
        <source>It is not valid base64.</source>
        <translation>No es base64 válido.</translation>
    </message>
    <message>
        <source>It sent too many requests, or used an id twice, before it read the answers.</source>
        <translation>Envió demasiadas peticiones, o usó dos veces un identificador, antes de leer las respuestas.</translation>
    </message>
    <message>
        <source>It was stopped.</source>
        <translation>Se detuvo.</translation>
    </message>
    <message>
        <source>It did not answer in time.</source>
        <translation>No respondió a tiempo.</translation>
    </message>
    <message>
        <source>Its answer could not be read ({kind}).</source>
        <translation>No se pudo leer su respuesta ({kind}).</translation>
    </message>
    <message>
        <source>It is not running.</source>
        <translation>No está en marcha.</translation>
    </message>
    <message>
        <source>The sign-in was declined.</source>
        <translation>Se rechazó el inicio de sesión.</translation>
    </message>
    <message>
        <source>It ended.</source>
        <translation>Terminó.</translation>
    </message>
    <message>
        <source>Its answer does not follow the protocol.</source>
        <translation>Su respuesta no sigue el protocolo.</translation>
    </message>
    <message>
        <source>It did not answer in {seconds} s (Settings, Tools).</source>
        <translation>No respondió en {seconds} s (Ajustes, Herramientas).</translation>
    </message>
    <message>
        <source>The program {name} was not found.</source>
        <translation>No se encontró el programa {name}.</translation>
    </message>
    <message>
        <source>The program {name} may not be run.</source>
        <translation>El programa {name} no se puede ejecutar.</translation>
    </message>
    <message>
        <source>It cannot be reached.</source>
        <translation>No se puede contactar con él.</translation>
    </message>
    <message>
        <source>It refused the connection: {reason}</source>
        <translation>Rechazó la conexión: {reason}</translation>
    </message>
    <message>
        <source>The connection failed ({kind}).</source>
        <translation>La conexión falló ({kind}).</translation>
    </message>
    <message>
        <source>It asked to sign in again right after you had signed in.</source>
        <translation>Pidió iniciar sesión otra vez justo después de que lo hicieras.</translation>
    </message>
    <message>
        <source>It sends you to a page of another site than the one that would get your sign-in.</source>
        <translation>Te envía a una página de un sitio distinto del que recibiría tu inicio de sesión.</translation>
    </message>
    <message>
        <source>It sends sign-ins over an address that others could read.</source>
        <translation>Envía los inicios de sesión por una dirección que otros podrían leer.</translation>
    </message>
    <message>
        <source>It sends sign-ins to an address on this computer or its network.</source>
        <translation>Envía los inicios de sesión a una dirección de este dispositivo o de su red.</translation>
    </message>
    <message>
        <source>Nobody signed in in time.</source>
        <translation>Nadie inició sesión a tiempo.</translation>
    </message>
    <message>
        <source>It does not let ChatDesk register. Enter the ID of a client that you registered there.</source>
        <translation>No deja que ChatDesk se registre. Introduce el ID de un cliente que hayas registrado allí.</translation>
    </message>
    <message>
        <source>It did not accept the sign-in.</source>
        <translation>No aceptó el inicio de sesión.</translation>
    </message>
    <message>
        <source>The facts that it gives about signing in contradict each other.</source>
        <translation>Los datos que da sobre el inicio de sesión se contradicen.</translation>
    </message>
    <message>
        <source>The server where you sign in could not be reached, or sent too much.</source>
        <translation>No se pudo contactar con el servidor en el que inicias sesión, o envió demasiado.</translation>
    </message>
    <message>
        <source>Signing in failed ({kind}).</source>
        <translation>No se pudo iniciar sesión ({kind}).</translation>
    </message>
    <message>
        <source>It ended with exit code {code}.</source>
        <translation>Terminó con el código de salida {code}.</translation>
    </message>
    <message>
        <source>Its output is not valid UTF-8.</source>
        <translation>Su salida no es UTF-8 válido.</translation>
    </message>
    <message>
        <source>It sent more than {most} in one message.</source>
        <translation>Envió más de {most} en un mensaje.</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>No se puede escribir {path}: {reason}.</translation>
    </message>
    <message>
        <source>There is nothing here.</source>
        <translation>Aquí no hay nada.</translation>
    </message>
    <message>
        <source>This answer belongs to no sign-in that ChatDesk waits for.</source>
        <translation>Esta respuesta no corresponde a ningún inicio de sesión que ChatDesk esté esperando.</translation>
    </message>
    <message>
        <source>The sign-in was declined. You can close this page.</source>
        <translation>Se rechazó el inicio de sesión. Puedes cerrar esta página.</translation>
    </message>
    <message>
        <source>ChatDesk has the answer. You can close this page.</source>
        <translation>ChatDesk tiene la respuesta. Puedes cerrar esta página.</translation>
    </message>
    <message>
        <source>It is not JSON.</source>
        <translation>No es JSON.</translation>
    </message>
    <message>
        <source>It is cut off.</source>
        <translation>Está cortado.</translation>
    </message>
    <message>
        <source>It is nested {count} levels deep.</source>
        <translation>Tiene {count} niveles anidados.</translation>
    </message>
    <message>
        <source>It is nested too deeply.</source>
        <translation>Tiene demasiados niveles anidados.</translation>
    </message>
    <message>
        <source>The folder of the service {path} cannot be written to: {reason}.</source>
        <translation>No se puede escribir en la carpeta del servicio {path}: {reason}.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another --data-dir.</source>
        <translation>Comprueba su propietario y sus permisos, o elige otro --data-dir.</translation>
    </message>
    <message>
        <source>The service cannot listen: {reason}.</source>
        <translation>El servicio no puede escuchar: {reason}.</translation>
    </message>
    <message>
        <source>Choose another port in the settings, or 0 for any that is free.</source>
        <translation>Elige otro puerto en los ajustes o 0 para cualquiera que esté libre.</translation>
    </message>
    <message>
        <source>The address of the service cannot be written: {reason}.</source>
        <translation>No se puede escribir la dirección del servicio: {reason}.</translation>
    </message>
    <message>
        <source>The settings name another address for the service, but no token may be used there.</source>
        <translation>Los ajustes indican otra dirección para el servicio, pero allí no se puede usar ningún token.</translation>
    </message>
    <message>
        <source>The service was not started.</source>
        <translation>El servicio no se inició.</translation>
    </message>
    <message>
        <source>Make one with &apos;chatdesk tokens new NAME --scope remote&apos;, or leave the address empty.</source>
        <translation>Crea uno con &apos;chatdesk tokens new NAME --scope remote&apos;, o deja la dirección vacía.</translation>
    </message>
    <message>
        <source>The address of the service must be a name or number of this computer with a port.</source>
        <translation>La dirección del servicio debe ser un nombre o una dirección IP de este dispositivo, con un puerto.</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443, the address at which others reach this computer.</source>
        <translation>Por ejemplo, 192.168.1.5:8443, la dirección en la que otros llegan a este dispositivo.</translation>
    </message>
    <message>
        <source>Another address than this computer&apos;s own needs TLS.</source>
        <translation>Una dirección distinta de la propia de este dispositivo necesita TLS.</translation>
    </message>
    <message>
        <source>Name the files of a certificate and its key in the settings, or leave the address empty.</source>
        <translation>Indica en los ajustes los archivos de un certificado y su clave, o deja la dirección vacía.</translation>
    </message>
    <message>
        <source>The certificate of the service cannot be used: {reason}.</source>
        <translation>No se puede usar el certificado del servicio: {reason}.</translation>
    </message>
    <message>
        <source>Both files must be in PEM format and belong together, and the key must have no passphrase.</source>
        <translation>Ambos archivos deben estar en formato PEM y corresponderse, y la clave no debe tener frase de contraseña.</translation>
    </message>
    <message>
        <source>“{origin}” is not the origin of web pages.</source>
        <translation>«{origin}» no es un origen de páginas web.</translation>
    </message>
    <message>
        <source>An origin is a scheme, a name and a port if there is one: https://tool.example.</source>
        <translation>Un origen es un esquema, un nombre y un puerto si lo hay: https://tool.example.</translation>
    </message>
    <message>
        <source>Project folder</source>
        <translation>Carpeta del proyecto</translation>
    </message>
    <message>
        <source>List a folder of the project</source>
        <translation>Listar una carpeta del proyecto</translation>
    </message>
    <message>
        <source>Find files of the project</source>
        <translation>Buscar archivos del proyecto</translation>
    </message>
    <message>
        <source>Read a file of the project</source>
        <translation>Leer un archivo del proyecto</translation>
    </message>
    <message>
        <source>Propose a change to a file of the project</source>
        <translation>Proponer un cambio en un archivo del proyecto</translation>
    </message>
    <message>
        <source>A temporary chat keeps nothing, so no change is proposed in it.</source>
        <translation>Un chat temporal no guarda nada, así que en él no se propone ningún cambio.</translation>
    </message>
    <message>
        <source>Files of a folder can be used on Linux and macOS only.</source>
        <translation>Los archivos de una carpeta solo se pueden usar en Linux y macOS.</translation>
    </message>
    <message>
        <source>Nothing was read.</source>
        <translation>No se leyó nada.</translation>
    </message>
    <message>
        <source>The project of this thread has no folder on this computer.</source>
        <translation>El proyecto de esta conversación no tiene carpeta en este dispositivo.</translation>
    </message>
    <message>
        <source>The web</source>
        <translation>La web</translation>
    </message>
    <message>
        <source>Search the web</source>
        <translation>Buscar en la web</translation>
    </message>
    <message>
        <source>Read a web page</source>
        <translation>Leer una página web</translation>
    </message>
    <message numerus="yes">
        <source>Questions in this thread go to {count} models.</source>
        <comment>Questions in this thread go to {count} model.</comment>
        <translation>
            <numerusform>Las preguntas de esta conversación van a {count} modelo.</numerusform>
            <numerusform>Las preguntas de esta conversación van a {count} modelos.</numerusform>
        </translation>
    </message>
    <message>
        <source>It sent too many messages that nobody asked for, more than {count} in a second.</source>
        <translation>Envió demasiados mensajes que nadie había pedido, más de {count} en un segundo.</translation>
    </message>
    <message>
        <source>It wrote too much that nobody asked for, more than {count} bytes in a second.</source>
        <translation>Escribió demasiado contenido que nadie había pedido, más de {count} bytes en un segundo.</translation>
    </message>
    <message>
        <source>The server has lost nothing.</source>
        <translation>El servidor no ha perdido nada.</translation>
    </message>
    <message>
        <source>“{project}” goes on without them. Every computer fetches it again.</source>
        <translation>«{project}» sigue sin ellos. Cada dispositivo lo descarga de nuevo.</translation>
    </message>
    <message>
        <source>Every computer fetches the project again and sends what its person wrote and still has. What nobody sends stays only where it is now. If there is a backup of the server that has these changes, restore that instead.</source>
        <translation>Cada dispositivo descarga de nuevo el proyecto y envía lo que escribió su usuario y aún tiene. Lo que nadie envíe queda solo donde está ahora. Si hay una copia de seguridad del servidor con estos cambios, restáurala en su lugar.</translation>
    </message>
    <message>
        <source>Whoever joins the project gets only what comes before the first of them.</source>
        <translation>Quien se una al proyecto recibirá solo lo anterior al primero de ellos.</translation>
    </message>
    <message>
        <source>An owner of the project can let it go on without them.</source>
        <translation>Un propietario del proyecto puede permitir que siga sin ellos.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made between {after} and {before}.</source>
        <comment>{count} change (number {first}), made between {after} and {before}.</comment>
        <translation>
            <numerusform>{count} cambio (número {first}), hecho entre {after} y {before}.</numerusform>
            <numerusform>{count} cambios (números {first} a {last}), hechos entre {after} y {before}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made since {after}.</source>
        <comment>{count} change (number {first}), made since {after}.</comment>
        <translation>
            <numerusform>{count} cambio (número {first}), hecho desde {after}.</numerusform>
            <numerusform>{count} cambios (números {first} a {last}), hechos desde {after}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), the first of the project.</source>
        <comment>{count} change (number {first}), the first of the project.</comment>
        <translation>
            <numerusform>{count} cambio (número {first}), el primero del proyecto.</numerusform>
            <numerusform>{count} cambios (números {first} a {last}), los primeros del proyecto.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: the server has lost {count} changes.</source>
        <comment>“{project}”: the server has lost {count} change.</comment>
        <translation>
            <numerusform>«{project}»: el servidor ha perdido {count} cambio.</numerusform>
            <numerusform>«{project}»: el servidor ha perdido {count} cambios.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Let “{project}” go on without {count} changes?</source>
        <comment>Let “{project}” go on without {count} change?</comment>
        <translation>
            <numerusform>¿Dejar que «{project}» siga sin {count} cambio?</numerusform>
            <numerusform>¿Dejar que «{project}» siga sin {count} cambios?</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: on {day}, {who} let it go on without {count} changes that the server had lost.</source>
        <comment>“{project}”: on {day}, {who} let it go on without {count} change that the server had lost.</comment>
        <translation>
            <numerusform>«{project}»: el {day}, {who} lo dejó seguir sin {count} cambio que el servidor había perdido.</numerusform>
            <numerusform>«{project}»: el {day}, {who} lo dejó seguir sin {count} cambios que el servidor había perdido.</numerusform>
        </translation>
    </message>
    <message>
        <source>Search your earlier threads</source>
        <translation>Buscar en tus conversaciones anteriores</translation>
    </message>
    <message>
        <source>Read an earlier thread</source>
        <translation>Leer una conversación anterior</translation>
    </message>
    <message>
        <source>Read a file of an earlier thread</source>
        <translation>Leer un archivo de una conversación anterior</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Enter opens one</source>
        <translation>Los resultados están debajo: las flechas arriba y abajo eligen, Intro abre uno</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Lado a lado</translation>
    </message>
    <message>
        <source>Searched the web: {what}</source>
        <translation>Buscó en la web: {what}</translation>
    </message>
    <message>
        <source>Read {what}</source>
        <translation>Leyó {what}</translation>
    </message>
    <message>
        <source>Searched your threads: {what}</source>
        <translation>Buscó en tus conversaciones: {what}</translation>
    </message>
    <message>
        <source>Looked into the folder {what}</source>
        <translation>Miró en la carpeta {what}</translation>
    </message>
    <message>
        <source>Looked for files: {what}</source>
        <translation>Buscó archivos: {what}</translation>
    </message>
    <message>
        <source>Proposed a change to {what}</source>
        <translation>Propuso un cambio en {what}</translation>
    </message>
    <message>
        <source>Looked for a tool</source>
        <translation>Buscó una herramienta</translation>
    </message>
    <message>
        <source>Asked {server}: {what}</source>
        <translation>Preguntó a {server}: {what}</translation>
    </message>
    <message numerus="yes">
        <source>{count} steps</source>
        <comment>{count} step</comment>
        <translation>
            <numerusform>{count} paso</numerusform>
            <numerusform>{count} pasos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} failed</source>
        <comment>{count} failed</comment>
        <translation>
            <numerusform>{count} falló</numerusform>
            <numerusform>{count} fallaron</numerusform>
        </translation>
    </message>
    <message>
        <source>Check against the server again, and accept what is missing then. The log was closed up to there already, and no change was lost by that.</source>
        <translation>Comprueba de nuevo con el servidor y acepta lo que falte entonces. El registro ya se cerró hasta ahí, y con ello no se perdió ningún cambio.</translation>
    </message>
    <message>
        <source>An answer in a shared project is still being written.</source>
        <translation>Aún se está escribiendo una respuesta en un proyecto compartido.</translation>
    </message>
    <message>
        <source>Wait until it ends, or stop it, then connect again.</source>
        <translation>Espera a que termine o detenla, y después conecta de nuevo.</translation>
    </message>
    <message>
        <source>No program opened {address}.</source>
        <translation>Ningún programa ha abierto {address}.</translation>
    </message>
    <message>
        <source>{name}, page {page} — {heading}</source>
        <translation>{name}, página {page} — {heading}</translation>
    </message>
    <message>
        <source>{name}, page {page}</source>
        <translation>{name}, página {page}</translation>
    </message>
    <message>
        <source>This looks like a secret.</source>
        <translation>Esto parece un secreto.</translation>
    </message>
    <message>
        <source>Say that it is to be read all the same, or choose another place.</source>
        <translation>Indica que se lea de todos modos, o elige otro lugar.</translation>
    </message>
    <message>
        <source>There is no file {path}.</source>
        <translation>No existe el archivo {path}.</translation>
    </message>
    <message>
        <source>Choose a file that exists on this computer.</source>
        <translation>Elige un archivo que exista en este dispositivo.</translation>
    </message>
    <message>
        <source>“{name}” looks like a secret.</source>
        <translation>«{name}» parece un secreto.</translation>
    </message>
    <message>
        <source>This file is not on this computer.</source>
        <translation>Este archivo no está en este dispositivo.</translation>
    </message>
    <message>
        <source>There is no folder or file {place}.</source>
        <translation>No existe ninguna carpeta ni archivo {place}.</translation>
    </message>
    <message>
        <source>Give the path of a folder or file, or an address that begins with https://.</source>
        <translation>Indica la ruta de una carpeta o archivo, o una dirección que empiece por https://.</translation>
    </message>
    <message>
        <source>This folder or file cannot be read.</source>
        <translation>No se puede leer esta carpeta o archivo.</translation>
    </message>
    <message>
        <source>What was read from it before is kept.</source>
        <translation>Lo que se leyó antes se conserva.</translation>
    </message>
    <message>
        <source>Make it available again, or remove it from the files of the project.</source>
        <translation>Haz que vuelva a estar disponible o quítalo de los archivos del proyecto.</translation>
    </message>
    <message>
        <source>“{name}” is not a file.</source>
        <translation>«{name}» no es un archivo.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder.</source>
        <translation>«{name}» no es una carpeta.</translation>
    </message>
    <message>
        <source>“{place}” cannot be read: {reason}.</source>
        <translation>No se puede leer «{place}»: {reason}.</translation>
    </message>
    <message>
        <source>This project does not exist.</source>
        <translation>Este proyecto no existe.</translation>
    </message>
    <message>
        <source>“{place}” is among the files of this project already.</source>
        <translation>«{place}» ya está entre los archivos de este proyecto.</translation>
    </message>
    <message>
        <source>This folder, file or page is not among the files of a project.</source>
        <translation>Esta carpeta, archivo o página no está entre los archivos de un proyecto.</translation>
    </message>
    <message>
        <source>Files of the project</source>
        <translation>Archivos del proyecto</translation>
    </message>
    <message>
        <source>Search the files of the project</source>
        <translation>Buscar en los archivos del proyecto</translation>
    </message>
    <message>
        <source>Read on in a file of the project</source>
        <translation>Seguir leyendo un archivo del proyecto</translation>
    </message>
    <message>
        <source>Read this all the same?</source>
        <translation>¿Leerlo de todos modos?</translation>
    </message>
    <message>
        <source>{looks} What it says can go with questions to those who get the files of the project.</source>
        <translation>{looks} Lo que contiene puede acompañar preguntas a quienes reciben los archivos del proyecto.</translation>
    </message>
    <message>
        <source>Read it</source>
        <translation>Leerlo</translation>
    </message>
    <message>
        <source>Remove this from the files of the project?</source>
        <translation>¿Quitar esto de los archivos del proyecto?</translation>
    </message>
    <message>
        <source>ChatDesk forgets what it read from “{place}”. Nothing is deleted there.</source>
        <translation>ChatDesk olvida lo que leyó de «{place}». Allí no se elimina nada.</translation>
    </message>
    <message>
        <source>The passage is not on this page: the file may have changed since it was read.</source>
        <translation>El fragmento no está en esta página: puede que el archivo haya cambiado desde que se leyó.</translation>
    </message>
    <message>
        <source>This passage is no longer in the files of the project: the file changed, or was removed.</source>
        <translation>Este fragmento ya no está en los archivos del proyecto: el archivo cambió o se quitó.</translation>
    </message>
    <message>
        <source>The answer is unchanged.</source>
        <translation>La respuesta no ha cambiado.</translation>
    </message>
    <message>
        <source>Ask again to search the files as they are now.</source>
        <translation>Pregunta de nuevo para buscar en los archivos tal como están ahora.</translation>
    </message>
    <message>
        <source>Open the file</source>
        <translation>Abrir el archivo</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>Página anterior</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>Página siguiente</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>Más pequeño</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>Más grande</translation>
    </message>
    <message>
        <source>Show the text of the page</source>
        <translation>Mostrar el texto de la página</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>Página</translation>
    </message>
    <message>
        <source>Show the page</source>
        <translation>Mostrar la página</translation>
    </message>
    <message>
        <source>Page {page} of {total}</source>
        <translation>Página {page} de {total}</translation>
    </message>
    <message>
        <source>Page {page}</source>
        <translation>Página {page}</translation>
    </message>
    <message>
        <source>Memory is off.</source>
        <translation>La memoria está desactivada.</translation>
    </message>
    <message>
        <source>Memories are not sent to this provider: you did not allow it.</source>
        <translation>Los recuerdos no se envían a este proveedor: no lo permitiste.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project.</source>
        <translation>Los recuerdos no se envían en un proyecto compartido.</translation>
    </message>
    <message>
        <source>Memories are not sent in a temporary chat.</source>
        <translation>Los recuerdos no se envían en un chat temporal.</translation>
    </message>
    <message>
        <source>A memory needs a text.</source>
        <translation>Un recuerdo necesita un texto.</translation>
    </message>
    <message>
        <source>Write one sentence.</source>
        <translation>Escribe una frase.</translation>
    </message>
    <message>
        <source>The memory has {count} characters; the most is {most}.</source>
        <translation>El recuerdo tiene {count} caracteres; el máximo es {most}.</translation>
    </message>
    <message>
        <source>Shorten it to what matters.</source>
        <translation>Redúcelo a lo esencial.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} hours left</source>
        <comment>about {count} hour left</comment>
        <translation>
            <numerusform>falta alrededor de {count} hora</numerusform>
            <numerusform>faltan unas {count} horas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} minutes left</source>
        <comment>about {count} minute left</comment>
        <translation>
            <numerusform>falta alrededor de {count} minuto</numerusform>
            <numerusform>faltan unos {count} minutos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} seconds left</source>
        <comment>about {count} second left</comment>
        <translation>
            <numerusform>falta alrededor de {count} segundo</numerusform>
            <numerusform>faltan unos {count} segundos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} look like secrets, not read</source>
        <comment>{count} looks like a secret, not read</comment>
        <translation>
            <numerusform>{count} parece un secreto, no leído</numerusform>
            <numerusform>{count} parecen secretos, no leídos</numerusform>
        </translation>
    </message>
    <message>
        <source>not tried yet</source>
        <translation>aún sin probar</translation>
    </message>
    <message>
        <source>found at place {place}</source>
        <translation>encontrado en el puesto {place}</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>no encontrado</translation>
    </message>
    <message>
        <source>at place {place}</source>
        <translation>en el puesto {place}</translation>
    </message>
    <message>
        <source>{outcome} (before: {earlier})</source>
        <translation>{outcome} (antes: {earlier})</translation>
    </message>
    <message>
        <source>Another computer shares “{place}” with this project.</source>
        <translation>Otro dispositivo comparte «{place}» con este proyecto.</translation>
    </message>
    <message>
        <source>Pause it, and ask the person who shares it to end that.</source>
        <translation>Ponlo en pausa y pide a quien lo comparte que deje de hacerlo.</translation>
    </message>
    <message>
        <source>Files are shared by the owners and admins of a shared project, from their own computers.</source>
        <translation>Los archivos los comparten los propietarios y administradores de un proyecto compartido, desde sus propios dispositivos.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be drawn.</source>
        <translation>Está dañada y no se puede dibujar.</translation>
    </message>
    <message>
        <source>This page cannot be drawn.</source>
        <translation>Esta página no se puede dibujar.</translation>
    </message>
    <message>
        <source>Read its text instead, or open the file in another program.</source>
        <translation>Lee su texto, o abre el archivo en otro programa.</translation>
    </message>
    <message>
        <source>Name the model for embeddings.</source>
        <translation>Indica el modelo de embeddings.</translation>
    </message>
    <message>
        <source>The files of this project are never sent to this provider.</source>
        <translation>Los archivos de este proyecto nunca se envían a este proveedor.</translation>
    </message>
    <message>
        <source>Let it have them first, or choose another provider.</source>
        <translation>Permite primero que los reciba, o elige otro proveedor.</translation>
    </message>
    <message>
        <source>“{model}” did not answer in time.</source>
        <translation>«{model}» no respondió a tiempo.</translation>
    </message>
    <message>
        <source>No provider can be asked here.</source>
        <translation>Aquí no se puede preguntar a ningún proveedor.</translation>
    </message>
    <message>
        <source>The vectors of “{model}” cannot be used.</source>
        <translation>Los vectores de «{model}» no se pueden usar.</translation>
    </message>
    <message>
        <source>The vectors of “{model}” have {found} numbers now, and had {known}.</source>
        <translation>Los vectores de «{model}» tienen ahora {found} números, y antes tenían {known}.</translation>
    </message>
    <message>
        <source>Memory is off, so nothing was remembered.</source>
        <translation>La memoria está desactivada, así que no se recordó nada.</translation>
    </message>
    <message>
        <source>Nothing was kept.</source>
        <translation>No se conservó nada.</translation>
    </message>
    <message>
        <source>Turn it on in Settings, Context, Memory.</source>
        <translation>Actívala en Ajustes, Contexto, Memoria.</translation>
    </message>
    <message>
        <source>The memories are unchanged.</source>
        <translation>Los recuerdos no han cambiado.</translation>
    </message>
    <message>
        <source>Nothing in the files of the project fits this question.</source>
        <translation>Nada en los archivos del proyecto corresponde a esta pregunta.</translation>
    </message>
    <message>
        <source>What was found in the files of the project did not fit into the request.</source>
        <translation>Lo que se encontró en los archivos del proyecto no cabía en la petición.</translation>
    </message>
    <message>
        <source>The files of the project were not sent: this provider never gets them.</source>
        <translation>No se enviaron los archivos del proyecto: este proveedor nunca los recibe.</translation>
    </message>
    <message>
        <source>Remember facts that you confirm</source>
        <translation>Recordar los datos que confirmes</translation>
    </message>
    <message>
        <source>Off: nothing is kept or sent. What is there stays until you delete it.</source>
        <translation>Desactivado: no se conserva ni se envía nada. Lo que hay se queda hasta que lo elimines.</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Memoria</translation>
    </message>
    <message>
        <source>memories remember facts</source>
        <translation>recuerdos recordar datos</translation>
    </message>
    <message>
        <source>Propose memories below an answer</source>
        <translation>Proponer recuerdos bajo una respuesta</translation>
    </message>
    <message>
        <source>A sentence of your question that is about you. Nothing is kept unless you confirm it.</source>
        <translation>Una frase de tu pregunta que trata de ti. No se conserva nada si no lo confirmas.</translation>
    </message>
    <message>
        <source>A sentence of yours that is about you. Nothing is kept unless you confirm it.</source>
        <translation>Una frase tuya que trata de ti. No se conserva nada si no lo confirmas.</translation>
    </message>
    <message>
        <source>Memories take at most</source>
        <translation>Los recuerdos ocupan como máximo</translation>
    </message>
    <message>
        <source>tokens of a request</source>
        <translation>tokens de una petición</translation>
    </message>
    <message>
        <source>Providers that are sent memories</source>
        <translation>Proveedores que reciben los recuerdos</translation>
    </message>
    <message>
        <source>A question and the file that should be found are both needed, in few words.</source>
        <translation>Hacen falta una pregunta y el archivo que debe encontrar, en pocas palabras.</translation>
    </message>
    <message>
        <source>A project keeps at most {count} questions.</source>
        <translation>Un proyecto guarda como máximo {count} preguntas.</translation>
    </message>
    <message>
        <source>Remove some first.</source>
        <translation>Quita antes algunas.</translation>
    </message>
    <message>
        <source>Another memory says the same.</source>
        <translation>Otro recuerdo dice lo mismo.</translation>
    </message>
    <message>
        <source>Delete one of the two.</source>
        <translation>Elimina uno de los dos.</translation>
    </message>
    <message>
        <source>ChatDesk keeps {most} memories at most.</source>
        <translation>ChatDesk conserva como máximo {most} recuerdos.</translation>
    </message>
    <message>
        <source>Delete some that no longer matter.</source>
        <translation>Elimina algunos que ya no importen.</translation>
    </message>
    <message>
        <source>This memory does not exist.</source>
        <translation>Este recuerdo no existe.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project, so none is kept for it alone.</source>
        <translation>Los recuerdos no se envían en un proyecto compartido, así que no se conserva ninguno solo para él.</translation>
    </message>
    <message>
        <source>Keep it everywhere.</source>
        <translation>Consérvalo para todo.</translation>
    </message>
    <message>
        <source>My computers</source>
        <translation>Mis dispositivos</translation>
    </message>
    <message>
        <source>Me</source>
        <translation>Yo</translation>
    </message>
    <message>
        <source>The key of your computers cannot be found on this one.</source>
        <translation>No se encuentra en este la clave de tus dispositivos.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>Desbloquea el llavero, o vuelve a unirte con la frase de recuperación: &apos;chatdesk computers join&apos;.</translation>
    </message>
    <message>
        <source>This computer cannot keep the key of your computers.</source>
        <translation>Este dispositivo no puede guardar la clave de tus dispositivos.</translation>
    </message>
    <message>
        <source>This folder is not empty.</source>
        <translation>Esta carpeta no está vacía.</translation>
    </message>
    <message>
        <source>Choose an empty folder, or a new one inside. If your other computer uses this one, join it with the phrase.</source>
        <translation>Elige una carpeta vacía, o una nueva dentro de ella. Si tu otro dispositivo usa esta, únelo con la frase.</translation>
    </message>
    <message>
        <source>No computer of yours has written into this folder, as far as it has arrived here.</source>
        <translation>Ningún dispositivo tuyo ha escrito en esta carpeta, según lo que ha llegado aquí.</translation>
    </message>
    <message>
        <source>Wait until the folder has been carried here, or look whether it is the right one.</source>
        <translation>Espera a que la carpeta llegue aquí, o comprueba si es la correcta.</translation>
    </message>
    <message>
        <source>The recovery phrase is not the one of this folder.</source>
        <translation>La frase de recuperación no es la de esta carpeta.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown when the first computer began with this folder, or when one was removed since.</source>
        <translation>Usa la frase que se mostró cuando el primer dispositivo empezó con esta carpeta, o cuando se quitó alguno después.</translation>
    </message>
    <message>
        <source>It is there.</source>
        <translation>Existe.</translation>
    </message>
    <message>
        <source>This is a file. Choose a folder.</source>
        <translation>Es un archivo. Elige una carpeta.</translation>
    </message>
    <message>
        <source>It is made when you go on.</source>
        <translation>Se crea cuando continúes.</translation>
    </message>
    <message>
        <source>It is not there, nor is the folder around it. Connect the disk, or look again.</source>
        <translation>No existe, ni tampoco la carpeta que la contiene. Conecta el disco, o compruébalo de nuevo.</translation>
    </message>
    <message>
        <source>It cannot be written: {reason}.</source>
        <translation>No se puede escribir en ella: {reason}.</translation>
    </message>
    <message>
        <source>It can be written.</source>
        <translation>Se puede escribir en ella.</translation>
    </message>
    <message>
        <source>Contents</source>
        <translation>Contenido</translation>
    </message>
    <message>
        <source>{problem}</source>
        <translation>{problem}</translation>
    </message>
    <message>
        <source>Another computer of yours uses it already. Cancel, and choose Join.</source>
        <translation>Otro dispositivo tuyo ya la usa. Cancela y elige «Unirse».</translation>
    </message>
    <message>
        <source>It is a folder of ChatDesk.</source>
        <translation>Es una carpeta de ChatDesk.</translation>
    </message>
    <message>
        <source>The folder is empty.</source>
        <translation>La carpeta está vacía.</translation>
    </message>
    <message>
        <source>It has other files. Choose an empty folder, or a new one inside.</source>
        <translation>Tiene otros archivos. Elige una carpeta vacía, o una nueva dentro de ella.</translation>
    </message>
    <message>
        <source>This computer has not joined any others.</source>
        <translation>Este dispositivo no se ha unido a ningún otro.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers start&apos; or &apos;join&apos; does that.</source>
        <translation>&apos;chatdesk computers start&apos; o &apos;join&apos; lo hace.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos; lists them.</source>
        <translation>&apos;chatdesk computers status&apos; los muestra.</translation>
    </message>
    <message>
        <source>The exchange with your other computers is paused.</source>
        <translation>El intercambio con tus otros dispositivos está en pausa.</translation>
    </message>
    <message>
        <source>Nothing is read or written in the folder.</source>
        <translation>No se lee ni se escribe nada en la carpeta.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers resume&apos; goes on.</source>
        <translation>&apos;chatdesk computers resume&apos; lo reanuda.</translation>
    </message>
    <message>
        <source>Name it by its id: &apos;chatdesk computers status --json&apos; has them.</source>
        <translation>Indícalo por su identificador: &apos;chatdesk computers status --json&apos; lo muestra.</translation>
    </message>
    <message>
        <source>This computer has left the folder, and your chats are kept.</source>
        <translation>Este dispositivo ha salido de la carpeta, y tus chats se conservan.</translation>
    </message>
    <message>
        <source>This profile has chats already.</source>
        <translation>Este perfil ya tiene chats.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers join&apos; merges them with those of the folder.</source>
        <translation>&apos;chatdesk computers join&apos; los combina con los de la carpeta.</translation>
    </message>
    <message>
        <source>Several computers are called {name}.</source>
        <translation>Varios dispositivos se llaman {name}.</translation>
    </message>
    <message>
        <source>None of your computers is called {name}.</source>
        <translation>Ninguno de tus dispositivos se llama {name}.</translation>
    </message>
    <message>
        <source>This is the computer that you use.</source>
        <translation>Es el dispositivo que estás usando.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers leave&apos; forgets the folder.</source>
        <translation>&apos;chatdesk computers leave&apos; olvida la carpeta.</translation>
    </message>
    <message>
        <source>The copies that were kept for the folder cannot be removed: {reason}.</source>
        <translation>No se pueden quitar las copias que se guardaban para la carpeta: {reason}.</translation>
    </message>
    <message>
        <source>Remove {folder} by hand.</source>
        <translation>Quita {folder} a mano.</translation>
    </message>
    <message>
        <source>This computer has joined already.</source>
        <translation>Este dispositivo ya se ha unido.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos;</source>
        <translation>&apos;chatdesk computers status&apos;</translation>
    </message>
    <message>
        <source>That is not a recovery phrase of ChatDesk.</source>
        <translation>No es una frase de recuperación de ChatDesk.</translation>
    </message>
    <message>
        <source>It has seven groups of four letters and digits. Compare each with what was shown at the start.</source>
        <translation>Tiene siete grupos de cuatro letras y cifras. Compara cada uno con lo que se mostró al principio.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be reached.</source>
        <translation>No se puede acceder a la carpeta de tus dispositivos.</translation>
    </message>
    <message>
        <source>Connect the disk, or start the program that carries the folder. ChatDesk tries again by itself.</source>
        <translation>Conecta el disco, o inicia el programa que transporta la carpeta. ChatDesk lo intenta de nuevo por sí solo.</translation>
    </message>
    <message>
        <source>The folder of your computers belongs to another recovery phrase.</source>
        <translation>La carpeta de tus dispositivos tiene otra frase de recuperación.</translation>
    </message>
    <message>
        <source>Nothing was written there, and everything you wrote is kept on this computer.</source>
        <translation>No se escribió nada allí, y todo lo que escribiste se conserva en este dispositivo.</translation>
    </message>
    <message>
        <source>Put the folder back, or forget it and join again. ChatDesk tries again by itself.</source>
        <translation>Vuelve a poner la carpeta, u olvídala y únete de nuevo. ChatDesk lo intenta de nuevo por sí solo.</translation>
    </message>
    <message>
        <source>The disk with the folder of your computers is full.</source>
        <translation>El disco con la carpeta de tus dispositivos está lleno.</translation>
    </message>
    <message>
        <source>Make room there. ChatDesk tries again by itself.</source>
        <translation>Libera espacio en él. ChatDesk lo intenta de nuevo por sí solo.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be used: {reason}.</source>
        <translation>No se puede usar la carpeta de tus dispositivos: {reason}.</translation>
    </message>
    <message>
        <source>{answer}: {question}</source>
        <translation>{answer}: {question}</translation>
    </message>
    <message>
        <source>not sent: no room</source>
        <translation>no enviado: no hay espacio</translation>
    </message>
    <message>
        <source>not sent: does not fit the question</source>
        <translation>no enviado: no corresponde a la pregunta</translation>
    </message>
    <message>
        <source>not sent: left out</source>
        <translation>no enviado: omitido</translation>
    </message>
    <message>
        <source>not sent: this provider never gets it</source>
        <translation>no enviado: este proveedor nunca lo recibe</translation>
    </message>
    <message>
        <source>not sent: no longer in the files</source>
        <translation>no enviado: ya no está en los archivos</translation>
    </message>
    <message>
        <source>From the files of the project</source>
        <translation>De los archivos del proyecto</translation>
    </message>
    <message>
        <source>What was found in the files</source>
        <translation>Lo que se encontró en los archivos</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>Omitir</translation>
    </message>
    <message>
        <source>Show the passage</source>
        <translation>Mostrar el fragmento</translation>
    </message>
    <message>
        <source>Use again</source>
        <translation>Usar de nuevo</translation>
    </message>
    <message>
        <source>place {rank}</source>
        <translation>puesto {rank}</translation>
    </message>
    <message>
        <source>named in the question</source>
        <translation>nombrado en la pregunta</translation>
    </message>
    <message>
        <source>by words: {place}</source>
        <translation>por palabras: {place}</translation>
    </message>
    <message>
        <source>by meaning: {place}</source>
        <translation>por significado: {place}</translation>
    </message>
    <message>
        <source>the whole file</source>
        <translation>el archivo entero</translation>
    </message>
    <message>
        <source>Memories of this thread</source>
        <translation>Recuerdos de esta conversación</translation>
    </message>
    <message>
        <source>{text}: {fate}, {tokens}</source>
        <translation>{text}: {fate}, {tokens}</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are sent</source>
        <comment>{count} memory is sent</comment>
        <translation>
            <numerusform>Se envía {count} recuerdo</numerusform>
            <numerusform>Se envían {count} recuerdos</numerusform>
        </translation>
    </message>
    <message>
        <source>Send the files of the project to {provider}?</source>
        <translation>¿Enviar los archivos del proyecto a {provider}?</translation>
    </message>
    <message>
        <source>Send and use</source>
        <translation>Enviar y usar</translation>
    </message>
    <message>
        <source>What is left out</source>
        <translation>Lo que se omite</translation>
    </message>
    <message>
        <source>One rule a line, as in a .gitignore: “drafts/” leaves out a folder, “*.log” an ending, and “!keep.log” takes a file in again. What is left out is forgotten at once.</source>
        <translation>Una regla por línea, como en un .gitignore: «drafts/» omite una carpeta, «*.log» una extensión, y «!keep.log» vuelve a incluir un archivo. Lo que se omite se olvida al instante.</translation>
    </message>
    <message>
        <source>Rules</source>
        <translation>Reglas</translation>
    </message>
    <message>
        <source>{title}, page {page} of {total}</source>
        <translation>{title}, página {page} de {total}</translation>
    </message>
    <message>
        <source>Who gets these files</source>
        <translation>Quién recibe estos archivos</translation>
    </message>
    <message>
        <source>Untick a provider, and nothing of the project&apos;s files is ever sent to it: no passage, no whole file, and nothing that tools read in them. Answers stay as they are.</source>
        <translation>Desmarca un proveedor y nunca se le enviará nada de los archivos del proyecto: ni fragmentos, ni archivos enteros, ni lo que las herramientas lean en ellos. Las respuestas se quedan como están.</translation>
    </message>
    <message>
        <source>Files that look like secrets</source>
        <translation>Archivos que parecen secretos</translation>
    </message>
    <message>
        <source>By their names, these usually hold passwords or keys. One that you tick is read, and what it says can go with questions to those who get the files, but never to a team.</source>
        <translation>Por su nombre, suelen contener contraseñas o claves. El que marcas se lee, y lo que contiene puede acompañar preguntas a quienes reciben los archivos, pero nunca a un equipo.</translation>
    </message>
    <message>
        <source>Kept questions</source>
        <translation>Preguntas guardadas</translation>
    </message>
    <message>
        <source>Write questions with the file that each should find. Run them now, and again after something changed.</source>
        <translation>Escribe preguntas con el archivo que cada una debe encontrar. Ejecútalas ahora, y otra vez cuando algo haya cambiado.</translation>
    </message>
    <message>
        <source>The file to find</source>
        <translation>El archivo que debe encontrar</translation>
    </message>
    <message>
        <source>Run all</source>
        <translation>Ejecutar todas</translation>
    </message>
    <message>
        <source>Add a memory</source>
        <translation>Añadir un recuerdo</translation>
    </message>
    <message>
        <source>Edit the memory</source>
        <translation>Editar el recuerdo</translation>
    </message>
    <message>
        <source>One sentence</source>
        <translation>Una frase</translation>
    </message>
    <message>
        <source>What to remember</source>
        <translation>Lo que hay que recordar</translation>
    </message>
    <message>
        <source>Where it holds</source>
        <translation>Dónde vale</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>En todas partes</translation>
    </message>
    <message>
        <source>Erase it with its message</source>
        <translation>Borrarlo con su mensaje</translation>
    </message>
    <message>
        <source>Deleted: “{text}”</source>
        <translation>Eliminado: «{text}»</translation>
    </message>
    <message>
        <source>written by you</source>
        <translation>escrito por ti</translation>
    </message>
    <message>
        <source>selected in a message</source>
        <translation>seleccionado en un mensaje</translation>
    </message>
    <message>
        <source>proposed below an answer</source>
        <translation>propuesto bajo una respuesta</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>importado</translation>
    </message>
    <message>
        <source>from another program</source>
        <translation>de otro programa</translation>
    </message>
    <message>
        <source>A project without a name</source>
        <translation>Un proyecto sin nombre</translation>
    </message>
    <message>
        <source>imported from {source}</source>
        <translation>importado de {source}</translation>
    </message>
    <message>
        <source>its message is gone</source>
        <translation>su mensaje ya no existe</translation>
    </message>
    <message>
        <source>erased with its message</source>
        <translation>se borra con su mensaje</translation>
    </message>
    <message>
        <source>not sent: what it belongs to is in the trash</source>
        <translation>no enviado: aquello a lo que pertenece está en la papelera</translation>
    </message>
    <message>
        <source>not sent: the project is shared</source>
        <translation>no enviado: el proyecto es compartido</translation>
    </message>
    <message>
        <source>Select the words to remember first.</source>
        <translation>Selecciona antes las palabras que quieres recordar.</translation>
    </message>
    <message>
        <source>Nothing is remembered: memory is off, and an environment variable decides that.</source>
        <translation>No se recuerda nada: la memoria está desactivada, y lo decide una variable de entorno.</translation>
    </message>
    <message>
        <source>Keep “{fact}” as a memory?</source>
        <translation>¿Conservar «{fact}» como recuerdo?</translation>
    </message>
    <message>
        <source>Memory is off. Turn it on and keep “{fact}”?</source>
        <translation>La memoria está desactivada. ¿Activarla y conservar «{fact}»?</translation>
    </message>
    <message>
        <source>Turn on and keep</source>
        <translation>Activar y conservar</translation>
    </message>
    <message>
        <source>Kept as a memory.</source>
        <translation>Conservado como recuerdo.</translation>
    </message>
    <message>
        <source>This is remembered already.</source>
        <translation>Esto ya se recuerda.</translation>
    </message>
    <message>
        <source>Remember the selection</source>
        <translation>Recordar la selección</translation>
    </message>
    <message>
        <source>Memory is off, and an environment variable decides that. Nothing can be kept.</source>
        <translation>La memoria está desactivada, y lo decide una variable de entorno. No se puede conservar nada.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on.</source>
        <translation>La memoria está desactivada: no se conserva ni se envía nada hasta que la actives.</translation>
    </message>
    <message>
        <source>In this project</source>
        <translation>En este proyecto</translation>
    </message>
    <message>
        <source>Turn memory on and keep</source>
        <translation>Activar la memoria y conservar</translation>
    </message>
    <message>
        <source>Memories in the export</source>
        <translation>Recuerdos de la exportación</translation>
    </message>
    <message>
        <source>Tick all</source>
        <translation>Marcar todos</translation>
    </message>
    <message>
        <source>Remember the ticked ones</source>
        <translation>Recordar los marcados</translation>
    </message>
    <message>
        <source>Tick those that ChatDesk shall remember. They are sent to the providers that you allow.</source>
        <translation>Marca los que ChatDesk debe recordar. Se envían a los proveedores que permitas.</translation>
    </message>
    <message>
        <source>Memory is off, so none can be taken. If you turn it on in Settings, Context, Memory and import the file again, ChatDesk keeps those that you tick, and sends them to the providers that you allow.</source>
        <translation>La memoria está desactivada, así que no se puede tomar ninguno. Si la activas en Ajustes, Contexto, Memoria e importas el archivo otra vez, ChatDesk conserva los que marques y los envía a los proveedores que permitas.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories in the export</source>
        <comment>{count} memory in the export</comment>
        <translation>
            <numerusform>{count} recuerdo en la exportación</numerusform>
            <numerusform>{count} recuerdos en la exportación</numerusform>
        </translation>
    </message>
    <message>
        <source>{count}. {hint}</source>
        <translation>{count}. {hint}</translation>
    </message>
    <message>
        <source>No file or folder of the project has this name: {names}.</source>
        <translation>Ningún archivo ni carpeta del proyecto tiene este nombre: {names}.</translation>
    </message>
    <message>
        <source>Left out of the project&apos;s files: {names}.</source>
        <translation>Omitido de los archivos del proyecto: {names}.</translation>
    </message>
    <message>
        <source>{provider} never gets files of this project: {names}.</source>
        <translation>{provider} nunca recibe archivos de este proyecto: {names}.</translation>
    </message>
    <message>
        <source>Not read yet: {names}.</source>
        <translation>Aún sin leer: {names}.</translation>
    </message>
    <message>
        <source>Cannot be read: {names}.</source>
        <translation>No se puede leer: {names}.</translation>
    </message>
    <message>
        <source>Looks like a secret, and is not read: {names}.</source>
        <translation>Parece un secreto y no se lee: {names}.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, also what had not been sent.</source>
        <translation>Todo lo que escribiste aquí se conserva en este dispositivo, también lo que no se había enviado.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase, or forget the folder.</source>
        <translation>Vuelve a unirte con la nueva frase de recuperación, u olvida la carpeta.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, and merged when you have joined again.</source>
        <translation>Todo lo que escribiste aquí se conserva en este dispositivo, y se combina cuando vuelvas a unirte.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase. If you did not remove any, begin with another folder.</source>
        <translation>Vuelve a unirte con la nueva frase de recuperación. Si no quitaste ninguno, empieza con otra carpeta.</translation>
    </message>
    <message>
        <source>This recovery phrase was replaced when a computer was removed.</source>
        <translation>Esta frase de recuperación se sustituyó cuando se quitó un dispositivo.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown then.</source>
        <translation>Usa la frase que se mostró entonces.</translation>
    </message>
    <message>
        <source>This computer was removed on {computer}.</source>
        <translation>Este dispositivo se quitó en {computer}.</translation>
    </message>
    <message>
        <source>{name} was removed on {computer}, so there is a new recovery phrase.</source>
        <translation>{name} se quitó en {computer}, así que hay una nueva frase de recuperación.</translation>
    </message>
</context>
</TS>
