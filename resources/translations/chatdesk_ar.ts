<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ar" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>ChatDesk found no display, and no window of it is open.</source>
        <translation>لم يجد ChatDesk شاشة، ولا نافذة مفتوحة له.</translation>
    </message>
    <message>
        <source>Nothing was opened or changed.</source>
        <translation>لم يُفتح شيء ولم يُغيَّر.</translation>
    </message>
    <message>
        <source>Run this in a desktop session, or set DISPLAY or WAYLAND_DISPLAY.</source>
        <translation>شغّل هذا في جلسة سطح مكتب، أو اضبط DISPLAY أو WAYLAND_DISPLAY.</translation>
    </message>
    <message>
        <source>No display was found, so ChatDesk plays one turn without a window.</source>
        <translation>لم يُعثر على شاشة، لذا ينفّذ ChatDesk دورًا واحدًا من دون نافذة.</translation>
    </message>
    <message>
        <source>ask a question and print the answer as it comes</source>
        <translation>طرح سؤال وطباعة الإجابة أثناء وصولها</translation>
    </message>
    <message>
        <source>the question; - reads it from stdin</source>
        <translation>السؤال؛ والعلامة - تقرؤه من stdin</translation>
    </message>
    <message>
        <source>what to do with tool calls: ask (at a terminal), deny, or what to allow: SERVER for all tools of a server and SERVER/TOOL for one; may be repeated</source>
        <translation>ما يُفعل باستدعاءات الأدوات: ask (السؤال في الطرفية)، أو deny (الرفض)، أو ما يُسمح به: SERVER لكل أدوات خادم وSERVER/TOOL لأداة واحدة؛ ويمكن تكراره</translation>
    </message>
    <message>
        <source>An imported system prompt is sent with the question.</source>
        <translation>يُرسَل موجِّه نظام مستورَد مع السؤال.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with the question.</source>
        <translation>غيّر {name} موجِّه النظام؛ وهو يُرسَل مع السؤال.</translation>
    </message>
    <message>
        <source>Trying again in {seconds} s.</source>
        <translation>إعادة المحاولة بعد {seconds} ث.</translation>
    </message>
    <message>
        <source>The question waits, {count} before it; Ctrl+C cancels.</source>
        <translation>السؤال ينتظر، وقبله {count}؛ ‏Ctrl+C يلغيه.</translation>
    </message>
    <message>
        <source>continue this thread (the start of its id is enough)</source>
        <translation>متابعة هذه المحادثة (تكفي بداية معرّفها)</translation>
    </message>
    <message>
        <source>ask another version of this question; the old one is kept</source>
        <translation>طرح نسخة أخرى من هذا السؤال؛ وتبقى القديمة</translation>
    </message>
    <message>
        <source>start a new thread (the default)</source>
        <translation>بدء محادثة جديدة (الافتراضي)</translation>
    </message>
    <message>
        <source>model to ask</source>
        <translation>النموذج الذي يُسأل</translation>
    </message>
    <message>
        <source>id of the provider to ask (&apos;chatdesk providers&apos; lists them)</source>
        <translation>معرّف المزوّد الذي يُسأل (يسردها &apos;chatdesk providers&apos;)</translation>
    </message>
    <message>
        <source>assistant from the library to ask</source>
        <translation>المساعد من المكتبة الذي يُسأل</translation>
    </message>
    <message>
        <source>file to attach; may be repeated</source>
        <translation>ملف يُرفق؛ يمكن تكراره</translation>
    </message>
    <message>
        <source>tool servers that the model may use, separated by commas, or none</source>
        <translation>خوادم الأدوات التي يجوز للنموذج استخدامها، مفصولة بفواصل، أو none لمنعها كلها</translation>
    </message>
    <message>
        <source>print one JSON object per line: start, text, ..., finish</source>
        <translation>طباعة كائن JSON واحد في كل سطر: start، text، ...، finish</translation>
    </message>
    <message>
        <source>ChatDesk keeps trying to save the answer for a while; Ctrl+C stops it.</source>
        <translation>يواصل ChatDesk محاولة حفظ الإجابة لبعض الوقت؛ ويوقفه Ctrl+C.</translation>
    </message>
    <message>
        <source>The answer was not finished. What had arrived is kept.</source>
        <translation>لم تكتمل الإجابة. ما وصل منها محفوظ.</translation>
    </message>
    <message>
        <source>how the attached texts are encoded, such as windows-1251</source>
        <translation>ترميز النصوص المرفقة، مثل windows-1251</translation>
    </message>
    <message>
        <source>“{name}” may be in one of several encodings: {found}.</source>
        <translation>قد يكون «{name}» بأحد ترميزات عدة: {found}.</translation>
    </message>
    <message>
        <source>Name the right one with --encoding.</source>
        <translation>حدّد الترميز الصحيح باستخدام --encoding.</translation>
    </message>
    <message>
        <source>“{name}” is no text in the encoding {encoding}.</source>
        <translation>«{name}» ليس نصًا بالترميز {encoding}.</translation>
    </message>
    <message>
        <source>Name the encoding in which it was written, such as windows-1251 or shift_jis.</source>
        <translation>حدّد الترميز الذي كُتب به، مثل windows-1251 أو shift_jis.</translation>
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
        <translation>يقدّم {server}: {names}.</translation>
    </message>
    <message>
        <source>It lists no tools.</source>
        <translation>لا يسرد أي أدوات.</translation>
    </message>
    <message>
        <source>It is switched off: chatdesk tools on {server} switches it on.</source>
        <translation>إنه متوقف: الأمر chatdesk tools on {server} يشغّله.</translation>
    </message>
    <message>
        <source>It is for the threads of a project with a folder: see chatdesk tools folder.</source>
        <translation>إنه لمحادثات مشروع له مجلّد: انظر chatdesk tools folder.</translation>
    </message>
    <message>
        <source>It was not asked for its tools.</source>
        <translation>لم يُسأل عن أدواته.</translation>
    </message>
    <message>
        <source>Answer in the window.</source>
        <translation>أجب في النافذة.</translation>
    </message>
    <message>
        <source>{words} It is allowed with --approve {name}.</source>
        <translation>{words} يُسمح به باستخدام --approve {name}.</translation>
    </message>
    <message>
        <source>It was allowed.</source>
        <translation>سُمح به.</translation>
    </message>
    <message>
        <source>It was denied.</source>
        <translation>رُفض.</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server} with</source>
        <translation>يريد النموذج استدعاء {tool} من {server} بما يلي</translation>
    </message>
    <message>
        <source>Allow it?</source>
        <translation>هل تسمح به؟</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server}. {words}</source>
        <translation>يريد النموذج استدعاء {tool} من {server}. {words}</translation>
    </message>
    <message>
        <source>It was denied: nobody can be asked here (see --approve).</source>
        <translation>رُفض: لا يمكن سؤال أحد هنا (راجع ‎--approve).</translation>
    </message>
    <message>
        <source>A ChatDesk window is open and answers this question, so --tools and --approve cannot be used.</source>
        <translation>هناك نافذة ChatDesk مفتوحة تجيب عن هذا السؤال، لذا لا يمكن استخدام ‎--tools و‎--approve.</translation>
    </message>
    <message>
        <source>The question was not sent.</source>
        <translation>لم يُرسَل السؤال.</translation>
    </message>
    <message>
        <source>Choose the tools in the window, or close it.</source>
        <translation>اختر الأدوات في النافذة، أو أغلقها.</translation>
    </message>
    <message>
        <source>There is no tool server {first}.</source>
        <translation>لا يوجد خادم أدوات باسم {first}.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk tools list&apos;.</source>
        <translation>راجع &apos;chatdesk tools list&apos;.</translation>
    </message>
    <message>
        <source>There is no tool server {name}: --approve allows nothing by this name.</source>
        <translation>لا يوجد خادم أدوات {name}: لا يسمح ‎--approve‎ بشيء بهذا الاسم.</translation>
    </message>
    <message>
        <source>{name} has several meanings: {names}.</source>
        <translation>لـ{name} عدة معانٍ: {names}.</translation>
    </message>
    <message>
        <source>Give each tool server a name of its own, or use its id (&apos;chatdesk tools list&apos;).</source>
        <translation>أعطِ كل خادم أدوات اسمًا خاصًا به، أو استخدم معرّفه (&apos;chatdesk tools list&apos;).</translation>
    </message>
    <message>
        <source>There are several assistants called {name}.</source>
        <translation>يوجد أكثر من مساعد باسم {name}.</translation>
    </message>
    <message>
        <source>There is no assistant called {name}.</source>
        <translation>لا يوجد مساعد باسم {name}.</translation>
    </message>
    <message>
        <source>There are: {names}.</source>
        <translation>الموجود: {names}.</translation>
    </message>
    <message>
        <source>none</source>
        <translation>لا شيء</translation>
    </message>
    <message>
        <source>write threads as Markdown, JSON, HTML or PDF</source>
        <translation>كتابة المحادثات بصيغة Markdown أو JSON أو HTML أو PDF</translation>
    </message>
    <message>
        <source>all threads of this project (its name or id)</source>
        <translation>كل محادثات هذا المشروع (باسمه أو معرّفه)</translation>
    </message>
    <message>
        <source>make a backup now</source>
        <translation>إنشاء نسخة احتياطية الآن</translation>
    </message>
    <message>
        <source>have the same chats on your own computers, through a folder</source>
        <translation>الحصول على الدردشات نفسها على حواسيبك، عبر مجلّد</translation>
    </message>
    <message>
        <source>an empty folder that something carries to your other computers</source>
        <translation>مجلّد فارغ يُنقل إلى حواسيبك الأخرى</translation>
    </message>
    <message>
        <source>begin with the first computer, and print the recovery phrase once</source>
        <translation>البدء بالحاسوب الأول وطباعة عبارة الاسترداد مرة واحدة</translation>
    </message>
    <message>
        <source>join with a further computer, or again with a restored one</source>
        <translation>الانضمام بحاسوب آخر، أو من جديد بحاسوب مستعاد</translation>
    </message>
    <message>
        <source>the same folder as on the other computers</source>
        <translation>المجلّد نفسه الذي على الحواسيب الأخرى</translation>
    </message>
    <message>
        <source>read the recovery phrase from FILE; else it is asked for</source>
        <translation>قراءة عبارة الاسترداد من FILE؛ وإلا فتُطلب</translation>
    </message>
    <message>
        <source>do not ask</source>
        <translation>بلا سؤال</translation>
    </message>
    <message>
        <source>write what is new here into the folder, and read what others wrote</source>
        <translation>كتابة الجديد هنا في المجلّد، وقراءة ما كتبته الحواسيب الأخرى</translation>
    </message>
    <message>
        <source>remove a computer, such as a lost one, and make a new recovery phrase</source>
        <translation>إزالة حاسوب، كالمفقود مثلًا، وإنشاء عبارة استرداد جديدة</translation>
    </message>
    <message>
        <source>the name or id of the computer</source>
        <translation>اسم الحاسوب أو معرّفه</translation>
    </message>
    <message>
        <source>wait at most this long ({seconds})</source>
        <translation>الانتظار هذا العدد من الثواني على الأكثر ({seconds})</translation>
    </message>
    <message>
        <source>bring everything back on an empty profile, with the recovery phrase</source>
        <translation>استعادة كل شيء في ملف شخصي فارغ، بعبارة الاسترداد</translation>
    </message>
    <message>
        <source>show your computers, and what waits</source>
        <translation>عرض حواسيبك وما ينتظر</translation>
    </message>
    <message>
        <source>stop reading and writing the folder, until &apos;resume&apos;</source>
        <translation>إيقاف القراءة من المجلّد والكتابة فيه حتى &apos;resume&apos;</translation>
    </message>
    <message>
        <source>read and write the folder again</source>
        <translation>القراءة من المجلّد والكتابة فيه من جديد</translation>
    </message>
    <message>
        <source>forget the folder; everything stays on this computer</source>
        <translation>نسيان المجلّد؛ ويبقى كل شيء على هذا الحاسوب</translation>
    </message>
    <message>
        <source>A folder has a name.</source>
        <translation>يجب أن يكون للمجلّد اسم.</translation>
    </message>
    <message>
        <source>Name one that others carry.</source>
        <translation>اذكر مجلّدًا تنقله برامج أخرى.</translation>
    </message>
    <message>
        <source>This is no folder.</source>
        <translation>هذا ليس مجلّدًا.</translation>
    </message>
    <message>
        <source>The file with the recovery phrase cannot be read: {reason}.</source>
        <translation>تتعذّر قراءة الملف الذي فيه عبارة الاسترداد: {reason}.</translation>
    </message>
    <message>
        <source>A computer has a name.</source>
        <translation>يجب أن يكون للحاسوب اسم.</translation>
    </message>
    <message>
        <source>It keeps your computers in step by itself. Close it to do this here.</source>
        <translation>هو يزامن حواسيبك تلقائيًا. أغلقه لتفعل ذلك هنا.</translation>
    </message>
    <message>
        <source>This is your recovery phrase. Write it down: your other computers need it, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>هذه عبارة الاسترداد الخاصة بك. دوّنها: تحتاج إليها حواسيبك الأخرى، وبها وحدها تستعيد دردشاتك. ومن يملكها ويملك المجلّد يمكنه قراءة كل شيء. ولا تُعرض مرة أخرى.</translation>
    </message>
    <message>
        <source>Recovery phrase: </source>
        <translation>عبارة الاسترداد: </translation>
    </message>
    <message>
        <source>The folder has {size} and is used by: {computers}.</source>
        <translation>حجم المجلّد {size} وتستخدمه هذه الحواسيب: {computers}.</translation>
    </message>
    <message>
        <source>Bring everything here?</source>
        <translation>هل تريد جلب كل شيء إلى هنا؟</translation>
    </message>
    <message>
        <source>Merge the chats of this computer with theirs?</source>
        <translation>هل تريد دمج دردشات هذا الحاسوب مع دردشاتها؟</translation>
    </message>
    <message>
        <source>Remove {name}? Your other computers then need the new recovery phrase, which is shown. {name} keeps, and can read, everything that it had, and gets nothing new.</source>
        <translation>هل تريد إزالة {name}؟ تحتاج حواسيبك الأخرى بعدها إلى عبارة الاسترداد الجديدة التي ستُعرض. يحتفظ {name} بكل ما كان لديه ويمكنه قراءته، ولا يتلقى أي جديد.</translation>
    </message>
    <message>
        <source>{name} was removed. Join again with the new phrase on your other computers.</source>
        <translation>أُزيل {name}. انضم من جديد بالعبارة الجديدة على حواسيبك الأخرى.</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written there.</source>
        <translation>متوقف مؤقتًا: لا يُقرأ شيء هناك ولا يُكتب.</translation>
    </message>
    <message>
        <source>Your computers are kept in step again.</source>
        <translation>عادت المزامنة بين حواسيبك.</translation>
    </message>
    <message>
        <source>{name} (this one)</source>
        <translation>{name} (هذا الحاسوب)</translation>
    </message>
    <message>
        <source>{computer}, last here {moment}</source>
        <translation>{computer}، آخر ظهور {moment}</translation>
    </message>
    <message numerus="yes">
        <source>{count} files of it have not arrived yet</source>
        <comment>{count} file of it has not arrived yet</comment>
        <translation>
            <numerusform>وصلت كل ملفاته</numerusform>
            <numerusform>ملف واحد منه لم يصل بعد</numerusform>
            <numerusform>ملفّان منه لم يصلا بعد</numerusform>
            <numerusform>{count} ملفات منه لم تصل بعد</numerusform>
            <numerusform>{count} ملفًا منه لم تصل بعد</numerusform>
            <numerusform>{count} ملف منه لم تصل بعد</numerusform>
        </translation>
    </message>
    <message>
        <source>the folder has older files of it than before</source>
        <translation>في المجلّد ملفات له أقدم من ذي قبل</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes are not in the folder yet. Your other computers do not get them.</source>
        <comment>{count} change is not in the folder yet. Your other computers do not get it.</comment>
        <translation>
            <numerusform>وصلت كل التغييرات إلى المجلّد.</numerusform>
            <numerusform>تغيير واحد لم يصل إلى المجلّد بعد. لا تتلقاه حواسيبك الأخرى.</numerusform>
            <numerusform>تغييران لم يصلا إلى المجلّد بعد. لا تتلقاهما حواسيبك الأخرى.</numerusform>
            <numerusform>{count} تغييرات لم تصل إلى المجلّد بعد. لا تتلقاها حواسيبك الأخرى.</numerusform>
            <numerusform>{count} تغييرًا لم تصل إلى المجلّد بعد. لا تتلقاها حواسيبك الأخرى.</numerusform>
            <numerusform>{count} تغيير لم تصل إلى المجلّد بعد. لا تتلقاها حواسيبك الأخرى.</numerusform>
        </translation>
    </message>
    <message>
        <source>Forget the folder {folder}? Its projects stay here as private ones.</source>
        <translation>هل تريد نسيان المجلّد {folder}؟ تبقى مشاريعه هنا مشاريع خاصة.</translation>
    </message>
    <message>
        <source>This computer has left {folder}. The files there stay for your other computers, and nobody can read them without the recovery phrase. With it you can join again.</source>
        <translation>غادر هذا الحاسوب {folder}. تبقى الملفات هناك لحواسيبك الأخرى، ولا يمكن لأحد قراءتها من دون عبارة الاسترداد. وبها يمكنك الانضمام من جديد.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers sync&apos; continues.</source>
        <translation>يتابع الأمر &apos;chatdesk computers sync&apos; ذلك.</translation>
    </message>
    <message>
        <source>Join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>انضم من جديد بعبارة الاسترداد: &apos;chatdesk computers join&apos;.</translation>
    </message>
    <message>
        <source>Everything is in the folder, and everything in the folder is here.</source>
        <translation>كل شيء موجود في المجلّد، وكل ما في المجلّد موجود هنا.</translation>
    </message>
    <message>
        <source>Attached files are on their way.</source>
        <translation>الملفات المرفقة في الطريق.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files in the folder are incomplete, or were changed. What they bring waits.</source>
        <comment>{count} file in the folder is incomplete, or was changed. What it brings waits.</comment>
        <translation>
            <numerusform>كل ملفات المجلّد كاملة.</numerusform>
            <numerusform>ملف واحد في المجلّد ناقص أو تغيّر. ما يجلبه ينتظر.</numerusform>
            <numerusform>ملفّان في المجلّد ناقصان أو تغيّرا. ما يجلبانه ينتظر.</numerusform>
            <numerusform>{count} ملفات في المجلّد ناقصة أو تغيّرت. ما تجلبه ينتظر.</numerusform>
            <numerusform>{count} ملفًا في المجلّد ناقصة أو تغيّرت. ما تجلبه ينتظر.</numerusform>
            <numerusform>{count} ملف في المجلّد ناقصة أو تغيّرت. ما تجلبه ينتظر.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is at {path}.</source>
        <translation>هو في {path}.</translation>
    </message>
    <message>
        <source>This format needs a file or folder to write to.</source>
        <translation>تحتاج هذه الصيغة إلى ملف أو مجلّد تُكتب فيه.</translation>
    </message>
    <message>
        <source>Give one with --output.</source>
        <translation>حدّده باستخدام ‎--output.</translation>
    </message>
    <message>
        <source>Choose threads, a project, or everything, but not two of them.</source>
        <translation>اختر محادثات أو مشروعًا أو كل شيء، لا اثنين منها معًا.</translation>
    </message>
    <message>
        <source>Leave one of them out.</source>
        <translation>اترك أحدهما.</translation>
    </message>
    <message>
        <source>Nothing to export was named.</source>
        <translation>لم يُذكر ما يُصدَّر.</translation>
    </message>
    <message>
        <source>Give a thread, --project NAME or --all.</source>
        <translation>اذكر محادثة أو ‎--project NAME أو ‎--all.</translation>
    </message>
    <message>
        <source>id of the thread, or the start of it</source>
        <translation>معرّف المحادثة، أو بدايته</translation>
    </message>
    <message>
        <source>everything</source>
        <translation>كل شيء</translation>
    </message>
    <message>
        <source>include the trash</source>
        <translation>مع محتويات سلة المهملات</translation>
    </message>
    <message>
        <source>file to write (with json, a .zip includes the attachments), or a folder for several threads</source>
        <translation>الملف الذي يُكتب (مع json يضم ملف ‎.zip المرفقات أيضًا)، أو مجلّد لعدة محادثات</translation>
    </message>
    <message>
        <source>zip file to write, with the database and all attachments</source>
        <translation>ملف zip الذي يُكتب، وفيه قاعدة البيانات وكل المرفقات</translation>
    </message>
    <message>
        <source>replace the database with a backup</source>
        <translation>استبدال قاعدة البيانات بنسخة احتياطية</translation>
    </message>
    <message>
        <source>path of the backup, or its name in the backup directory</source>
        <translation>مسار النسخة الاحتياطية، أو اسمها في دليل النسخ الاحتياطية</translation>
    </message>
    <message>
        <source>list the backups, newest first</source>
        <translation>سرد النسخ الاحتياطية، الأحدث أولًا</translation>
    </message>
    <message>
        <source>an attachment was left out: {sentence}</source>
        <translation>استُبعد مرفق: {sentence}</translation>
    </message>
    <message>
        <source>A window is open on this data directory, and it makes the regular backups.</source>
        <translation>هناك نافذة مفتوحة على دليل البيانات هذا، وهي تنشئ النسخ الاحتياطية المنتظمة.</translation>
    </message>
    <message>
        <source>Use Settings, Data and backup, Back up now; or give a FILE.</source>
        <translation>استخدم الإعدادات، البيانات والنسخ الاحتياطي، إنشاء نسخة احتياطية الآن؛ أو اذكر FILE.</translation>
    </message>
    <message>
        <source>Close the window, or choose another --data-dir.</source>
        <translation>أغلق النافذة، أو اختر ‎--data-dir آخر.</translation>
    </message>
    <message>
        <source>Replace the current database with it? The current one is kept.</source>
        <translation>هل تريد استبدال قاعدة البيانات الحالية بها؟ ستُحفظ الحالية.</translation>
    </message>
    <message>
        <source>No backup was named.</source>
        <translation>لم تُذكر أي نسخة احتياطية.</translation>
    </message>
    <message>
        <source>&apos;chatdesk restore --list&apos; lists them.</source>
        <translation>الأمر &apos;chatdesk restore --list&apos; يسردها.</translation>
    </message>
    <message>
        <source>nothing was changed</source>
        <translation>لم يتغيّر شيء</translation>
    </message>
    <message>
        <source>The backup was restored.</source>
        <translation>استُعيدت النسخة الاحتياطية.</translation>
    </message>
    <message>
        <source>The database as it was before is kept at {kept}.</source>
        <translation>قاعدة البيانات كما كانت من قبل محفوظة في {kept}.</translation>
    </message>
    <message>
        <source>{file}, made {time}</source>
        <translation>{file}، أُنشئت {time}</translation>
    </message>
    <message>
        <source>Threads: {threads}, messages: {messages}, schema version {schema}</source>
        <translation>المحادثات: {threads}، الرسائل: {messages}، إصدار المخطط {schema}</translation>
    </message>
    <message>
        <source>Close the window, or use Settings, Data and backup, Repair in it.</source>
        <translation>أغلق النافذة، أو استخدم فيها الإعدادات، البيانات والنسخ الاحتياطي، إصلاح.</translation>
    </message>
    <message>
        <source>The database could not be upgraded as it was, so a copy of it was repaired and upgraded.</source>
        <translation>تعذّرت ترقية قاعدة البيانات كما هي، فأُصلحت نسخة منها ورُقّيت.</translation>
    </message>
    <message>
        <source>The database was damaged; what could be read was copied into a new one.</source>
        <translation>كانت قاعدة البيانات تالفة؛ ونُسخ ما أمكنت قراءته إلى قاعدة جديدة.</translation>
    </message>
    <message>
        <source>The damaged one is kept at {kept}. Compare with &apos;chatdesk restore --list&apos;: a backup may hold more.</source>
        <translation>القاعدة التالفة محفوظة في {kept}. قارن باستخدام &apos;chatdesk restore --list&apos;: فقد تضم نسخة احتياطية أكثر.</translation>
    </message>
    <message>
        <source>fill a data directory with made-up threads</source>
        <translation>ملء دليل بيانات بمحادثات مختلَقة</translation>
    </message>
    <message>
        <source>make about N messages in total (500)</source>
        <translation>إنشاء نحو N رسالة إجمالًا (500)</translation>
    </message>
    <message>
        <source>seed for the made-up texts; another number makes other texts (1)</source>
        <translation>بذرة النصوص المختلقة؛ رقم آخر ينشئ نصوصًا أخرى (1)</translation>
    </message>
    <message>
        <source>add them even if there are threads already</source>
        <translation>إضافتها حتى إن وُجدت محادثات بالفعل</translation>
    </message>
    <message>
        <source>At most {most_messages} messages can be made at once.</source>
        <translation>يمكن إنشاء {most_messages} رسالة دفعة واحدة على الأكثر.</translation>
    </message>
    <message>
        <source>Choose fewer.</source>
        <translation>اختر عددًا أقل.</translation>
    </message>
    <message>
        <source>ChatDesk is open on this data directory.</source>
        <translation>ChatDesk مفتوح على دليل البيانات هذا.</translation>
    </message>
    <message>
        <source>Close it, or choose another one.</source>
        <translation>أغلقه، أو اختر دليلًا آخر.</translation>
    </message>
    <message>
        <source>There are threads in this data directory already ({count}).</source>
        <translation>توجد محادثات في دليل البيانات هذا بالفعل ({count}).</translation>
    </message>
    <message>
        <source>Choose an empty one with --data-dir, or give --add to put the made-up ones among them.</source>
        <translation>اختر دليلًا فارغًا باستخدام ‎--data-dir، أو أضف ‎--add لوضع المحادثات المختلَقة بينها.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads</source>
        <comment>{count} thread</comment>
        <translation>
            <numerusform>لا محادثات</numerusform>
            <numerusform>محادثة واحدة</numerusform>
            <numerusform>محادثتان</numerusform>
            <numerusform>{count} محادثات</numerusform>
            <numerusform>{count} محادثة</numerusform>
            <numerusform>{count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages</source>
        <comment>{count} message</comment>
        <translation>
            <numerusform>لا رسائل</numerusform>
            <numerusform>رسالة واحدة</numerusform>
            <numerusform>رسالتان</numerusform>
            <numerusform>{count} رسائل</numerusform>
            <numerusform>{count} رسالة</numerusform>
            <numerusform>{count} رسالة</numerusform>
        </translation>
    </message>
    <message>
        <source>Made {threads} with {messages}.</source>
        <translation>أُنشئ {threads} فيها {messages}.</translation>
    </message>
    <message>
        <source>written to {file}; look through it before you send it</source>
        <translation>كُتب في {file}؛ راجعه قبل أن ترسله</translation>
    </message>
    <message>
        <source>This process may open only {limit} files at once, and ChatDesk needs at least {needed}.</source>
        <translation>لا يجوز لهذه العملية أن تفتح سوى {limit} من الملفات معًا، ويحتاج ChatDesk إلى {needed} على الأقل.</translation>
    </message>
    <message>
        <source>Raise the limit (ulimit -n 256), then try again.</source>
        <translation>ارفع الحدّ (ulimit -n 256)، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another with --data-dir.</source>
        <translation>تحقّق من مالكه وأذوناته، أو اختر دليلًا آخر باستخدام ‎--data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} is a file.</source>
        <translation>لا يمكن استخدام دليل البيانات: {file} ملف.</translation>
    </message>
    <message>
        <source>Choose a directory with --data-dir.</source>
        <translation>اختر دليلًا باستخدام ‎--data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: The disk of {directory} is full.</source>
        <translation>لا يمكن استخدام دليل البيانات: قرص {directory} ممتلئ.</translation>
    </message>
    <message>
        <source>Free some space, or choose another with --data-dir.</source>
        <translation>أفرغ بعض المساحة، أو اختر دليلًا آخر باستخدام ‎--data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} may not be opened or made by this user.</source>
        <translation>لا يمكن استخدام دليل البيانات: لا يحق لهذا المستخدم فتح {file} أو إنشاؤه.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {reason}: {file}.</source>
        <translation>لا يمكن استخدام دليل البيانات: {reason}: {file}.</translation>
    </message>
    <message>
        <source>Nothing was changed.</source>
        <translation>لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>This process may not open more files at once.</source>
        <translation>لا يجوز لهذه العملية فتح مزيد من الملفات معًا.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged.</source>
        <translation>ما حُفظ من قبل لم يتغيّر.</translation>
    </message>
    <message>
        <source>The system gives this process no more memory or threads.</source>
        <translation>لا يمنح النظام هذه العملية مزيدًا من الذاكرة أو الخيوط.</translation>
    </message>
    <message>
        <source>Close other programs or raise the limits (ulimit), then try again.</source>
        <translation>أغلق برامج أخرى أو ارفع الحدود (ulimit)، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>put the threads into this project (by default one named after the program)</source>
        <translation>وضع المحادثات في هذا المشروع (وإلا ففي مشروع يحمل اسم البرنامج)</translation>
    </message>
    <message>
        <source>import an export of ChatDesk or of another program</source>
        <translation>استيراد ملف صدّره ChatDesk أو برنامج آخر</translation>
    </message>
    <message>
        <source>export of another program: a zip, JSON, JSON Lines or CSV file, or a folder</source>
        <translation>تصدير من برنامج آخر: ملف zip أو JSON أو JSON Lines أو CSV، أو مجلد</translation>
    </message>
    <message>
        <source>remember the facts that ChatGPT or Claude remembered, too</source>
        <translation>تذكُّر الحقائق التي تذكّرها ChatGPT أو Claude أيضًا</translation>
    </message>
    <message>
        <source>only report what would be imported</source>
        <translation>الإبلاغ فقط بما سيُستورد</translation>
    </message>
    <message>
        <source>print the report as JSON</source>
        <translation>طباعة التقرير بصيغة JSON</translation>
    </message>
    <message>
        <source>Import the file in its window, or close it first.</source>
        <translation>استورد الملف في نافذته، أو أغلقه أولًا.</translation>
    </message>
    <message numerus="yes">
        <source>{percent} %  {count} threads</source>
        <comment>{percent} %  {count} thread</comment>
        <translation>
            <numerusform>{percent} %  لا محادثات</numerusform>
            <numerusform>{percent} %  محادثة واحدة</numerusform>
            <numerusform>{percent} %  محادثتان</numerusform>
            <numerusform>{percent} %  {count} محادثات</numerusform>
            <numerusform>{percent} %  {count} محادثة</numerusform>
            <numerusform>{percent} %  {count} محادثة</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the files, so that a search finds what is in them…</source>
        <translation>تجري قراءة الملفات، لكي يعثر البحث على ما فيها …</translation>
    </message>
    <message>
        <source>Memory: {text}</source>
        <translation>ذكرى: {text}</translation>
    </message>
    <message>
        <source>--memories keeps them, and they are sent to the providers that you allow.</source>
        <translation>الخيار ‎--memories يحفظها، وتُرسَل إلى المزوّدين الذين تسمح لهم.</translation>
    </message>
    <message>
        <source>Memory is off. Once it is on, --memories keeps them, for the providers that you allow.</source>
        <translation>الذاكرة معطّلة. وبعد تفعيلها يحفظها الخيار ‎--memories للمزوّدين الذين تسمح لهم.</translation>
    </message>
    <message>
        <source>check the database, the paths and the providers</source>
        <translation>فحص قاعدة البيانات والمسارات والمزوّدين</translation>
    </message>
    <message>
        <source>answer from your own files</source>
        <translation>الإجابة من ملفاتك أنت</translation>
    </message>
    <message>
        <source>add a folder, a file or a web page, and read it</source>
        <translation>إضافة مجلّد أو ملف أو صفحة ويب وقراءته</translation>
    </message>
    <message>
        <source>list what a project has, and how far it is read</source>
        <translation>سرد ما في مشروع، وإلى أين وصلت قراءته</translation>
    </message>
    <message>
        <source>find the passages that fit a question</source>
        <translation>العثور على المقاطع التي تناسب سؤالًا</translation>
    </message>
    <message>
        <source>try questions with the file that should be found</source>
        <translation>تجربة أسئلة مع الملف الذي ينبغي العثور عليه</translation>
    </message>
    <message>
        <source>forget a folder, file or page</source>
        <translation>نسيان مجلّد أو ملف أو صفحة</translation>
    </message>
    <message>
        <source>choose what the team of a shared project gets of it</source>
        <translation>اختيار ما يحصل عليه منه فريق المشروع المشترك</translation>
    </message>
    <message>
        <source>choose what makes the vectors for finding by meaning</source>
        <translation>اختيار ما ينشئ المتّجهات للبحث بالمعنى</translation>
    </message>
    <message>
        <source>list the providers that get the files, or never do</source>
        <translation>سرد المزوّدين الذين يحصلون على الملفات والذين لا يحصلون عليها أبدًا</translation>
    </message>
    <message>
        <source>folder, file, or address of a web page</source>
        <translation>مجلّد أو ملف أو عنوان صفحة ويب</translation>
    </message>
    <message>
        <source>leave out what a line of a .gitignore would</source>
        <translation>استبعاد ما يستبعده سطر من ملف ‎.gitignore</translation>
    </message>
    <message>
        <source>read it though its name looks like that of a secret</source>
        <translation>قراءته وإن بدا اسمه اسم ملف سرّي</translation>
    </message>
    <message>
        <source>what you want to know</source>
        <translation>ما تريد معرفته</translation>
    </message>
    <message>
        <source>at most N passages (8)</source>
        <translation>N مقطع على الأكثر (8)</translation>
    </message>
    <message>
        <source>JSON list of objects with a question and a file; - reads stdin; without it, the kept questions</source>
        <translation>قائمة JSON من كائنات فيها سؤال (question) وملف (file)؛ والعلامة - تقرؤها من stdin؛ ومن دونها الأسئلة المحفوظة</translation>
    </message>
    <message>
        <source>keep those of FILE, and try all that are kept</source>
        <translation>حفظ أسئلة FILE وتجربة كل الأسئلة المحفوظة</translation>
    </message>
    <message>
        <source>nothing, its name, or the text of its files too</source>
        <translation>لا شيء، أو اسمه، أو نص ملفاته أيضًا</translation>
    </message>
    <message>
        <source>a model for embeddings of one of your providers</source>
        <translation>نموذج تضمينات من أحد مزوّديك</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk, without a network</source>
        <translation>المتّجهات المرفقة مع ChatDesk، من دون شبكة</translation>
    </message>
    <message>
        <source>with --model: do it, after its cost was told</source>
        <translation>مع ‎--model: التنفيذ بعد ذكر التكلفة</translation>
    </message>
    <message>
        <source>never send the files of the project to it</source>
        <translation>عدم إرسال ملفات المشروع إليه أبدًا</translation>
    </message>
    <message>
        <source>send them again</source>
        <translation>إرسالها إليه من جديد</translation>
    </message>
    <message>
        <source>its id or place, as listed</source>
        <translation>معرّفه أو مكانه كما في القائمة</translation>
    </message>
    <message>
        <source>as JSON</source>
        <translation>بصيغة JSON</translation>
    </message>
    <message>
        <source>The question is empty.</source>
        <translation>السؤال فارغ.</translation>
    </message>
    <message>
        <source>There is no file of questions to keep.</source>
        <translation>لا يوجد ملف أسئلة لحفظه.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep.</source>
        <translation>اذكر FILE مع ‎--keep.</translation>
    </message>
    <message>
        <source>“{file}” is no JSON list of objects with a question and a file.</source>
        <translation>«{file}» ليس قائمة JSON من كائنات فيها سؤال (question) وملف (file).</translation>
    </message>
    <message>
        <source>Write: {example}</source>
        <translation>اكتب: {example}</translation>
    </message>
    <message>
        <source>“{model}” is no provider and model.</source>
        <translation>«{model}» ليس مزوّدًا ونموذجًا.</translation>
    </message>
    <message>
        <source>--yes belongs to --model.</source>
        <translation>الخيار ‎--yes يُستخدم مع ‎--model.</translation>
    </message>
    <message>
        <source>ChatDesk is open and reads the files of projects.</source>
        <translation>ChatDesk مفتوح ويقرأ ملفات المشاريع.</translation>
    </message>
    <message>
        <source>Change them in the window, in the project&apos;s Files, or close ChatDesk first.</source>
        <translation>غيّرها في النافذة، في «ملفات المشروع»، أو أغلق ChatDesk أولًا.</translation>
    </message>
    <message>
        <source>looks like a secret, not read</source>
        <translation>يبدو سرّيًا، لم يُقرأ</translation>
    </message>
    <message>
        <source>, page {page}</source>
        <translation>، الصفحة {page}</translation>
    </message>
    <message>
        <source>No questions are kept for this project.</source>
        <translation>لا أسئلة محفوظة لهذا المشروع.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep, or add some in the window, in the project&apos;s Files.</source>
        <translation>اذكر FILE مع ‎--keep، أو أضف أسئلة في النافذة، في «ملفات المشروع».</translation>
    </message>
    <message>
        <source>{hits} of {total} among the first five</source>
        <translation>{hits} من {total} ضمن الخمسة الأولى</translation>
    </message>
    <message>
        <source>The project has no such folder, file or page.</source>
        <translation>ليس في المشروع مجلّد أو ملف أو صفحة بهذا الاسم.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk knowledge list&apos;.</source>
        <translation>راجع &apos;chatdesk knowledge list&apos;.</translation>
    </message>
    <message>
        <source>There is no provider “{provider}”.</source>
        <translation>لا يوجد مزوّد «{provider}».</translation>
    </message>
    <message>
        <source>See &apos;chatdesk providers list&apos;.</source>
        <translation>راجع &apos;chatdesk providers list&apos;.</translation>
    </message>
    <message>
        <source>gets the files</source>
        <translation>يحصل على الملفات</translation>
    </message>
    <message>
        <source>Nothing was sent or changed. Add --yes to do it.</source>
        <translation>لم يُرسَل شيء ولم يُغيَّر. أضف ‎--yes للتنفيذ.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files read</source>
        <comment>{count} file read</comment>
        <translation>
            <numerusform>لم يُقرأ أي ملف</numerusform>
            <numerusform>قُرئ ملف واحد</numerusform>
            <numerusform>قُرئ ملفان</numerusform>
            <numerusform>قُرئت {count} ملفات</numerusform>
            <numerusform>قُرئ {count} ملفًا</numerusform>
            <numerusform>قُرئ {count} ملف</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} to be read</source>
        <comment>{count} to be read</comment>
        <translation>
            <numerusform>لا شيء ينتظر القراءة</numerusform>
            <numerusform>واحد ينتظر القراءة</numerusform>
            <numerusform>اثنان ينتظران القراءة</numerusform>
            <numerusform>{count} تنتظر القراءة</numerusform>
            <numerusform>{count} تنتظر القراءة</numerusform>
            <numerusform>{count} تنتظر القراءة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} cannot be read</source>
        <comment>{count} cannot be read</comment>
        <translation>
            <numerusform>لا شيء تتعذّر قراءته</numerusform>
            <numerusform>واحد تتعذّر قراءته</numerusform>
            <numerusform>اثنان تتعذّر قراءتهما</numerusform>
            <numerusform>{count} تتعذّر قراءتها</numerusform>
            <numerusform>{count} تتعذّر قراءتها</numerusform>
            <numerusform>{count} تتعذّر قراءتها</numerusform>
        </translation>
    </message>
    <message>
        <source>paused</source>
        <translation>متوقف مؤقتًا</translation>
    </message>
    <message>
        <source>keep all data in DIR (or set CHATDESK_DATA_DIR)</source>
        <translation>حفظ كل البيانات في DIR (أو اضبط CHATDESK_DATA_DIR)</translation>
    </message>
    <message>
        <source>write more to the log, and to stderr too</source>
        <translation>كتابة المزيد في السجل، وإلى stderr أيضًا</translation>
    </message>
    <message>
        <source>Chat with language models. Without a command, the window opens.</source>
        <translation>الدردشة مع نماذج لغوية. من دون أمر تُفتح النافذة.</translation>
    </message>
    <message>
        <source>also write a zip to attach to a bug report</source>
        <translation>كتابة ملف zip أيضًا لإرفاقه بتقرير عن خلل</translation>
    </message>
    <message>
        <source>repair the database, keeping a copy of it</source>
        <translation>إصلاح قاعدة البيانات مع الاحتفاظ بنسخة منها</translation>
    </message>
    <message>
        <source>The output could not be written: {reason}.</source>
        <translation>تعذّرت كتابة المخرجات: {reason}.</translation>
    </message>
    <message>
        <source>unrecognized arguments: {unknown}</source>
        <translation>معطيات غير معروفة: {unknown}</translation>
    </message>
    <message>
        <source>Something unexpected happened: {title}. Your messages are kept.</source>
        <translation>حدث أمر غير متوقع: {title}. رسائلك محفوظة.</translation>
    </message>
    <message>
        <source>A report is in {path}.</source>
        <translation>يوجد تقرير في {path}.</translation>
    </message>
    <message>
        <source>let an editor or assistant read threads (MCP, stdio)</source>
        <translation>السماح لمحرِّر أو مساعد بقراءة المحادثات (MCP، ‏stdio)</translation>
    </message>
    <message>
        <source>also allow ask, write (drafts), or ask,write</source>
        <translation>السماح أيضًا بـ ask أو write (مسودات) أو ask,write</translation>
    </message>
    <message>
        <source>it must be ask, write, or ask,write</source>
        <translation>يجب أن يكون ask أو write أو ask,write</translation>
    </message>
    <message>
        <source>Give the id of a thread, a link that begins with chatdesk://, or the path of a file.</source>
        <translation>أعطِ معرّف محادثة، أو رابطًا يبدأ بـ chatdesk://، أو مسار ملف.</translation>
    </message>
    <message>
        <source>“{target}” is neither a thread, a link nor a file that is there.</source>
        <translation>«{target}» ليس محادثة ولا رابطًا ولا ملفًا موجودًا.</translation>
    </message>
    <message>
        <source>show a thread, a link or a file in the window</source>
        <translation>إظهار محادثة أو رابط أو ملف في النافذة</translation>
    </message>
    <message>
        <source>the id of a thread, a link (chatdesk://…), an export of chats or an invitation</source>
        <translation>معرّف محادثة، أو رابط (chatdesk://…)، أو ملف دردشات مصدَّر، أو دعوة</translation>
    </message>
    <message>
        <source>start a new thread, as the launcher&apos;s menu does</source>
        <translation>بدء محادثة جديدة، كما تفعل قائمة المشغِّل</translation>
    </message>
    <message>
        <source>open the search, as the launcher&apos;s menu does</source>
        <translation>فتح البحث، كما تفعل قائمة المشغِّل</translation>
    </message>
    <message>
        <source>open the field for a quick question (to bind to a key)</source>
        <translation>فتح حقل السؤال السريع (لربطه بمفتاح)</translation>
    </message>
    <message>
        <source>key from {variable}</source>
        <translation>مفتاح من {variable}</translation>
    </message>
    <message>
        <source>key in the keyring</source>
        <translation>مفتاح في حلقة المفاتيح</translation>
    </message>
    <message>
        <source>key in the encrypted file</source>
        <translation>مفتاح في الملف المشفّر</translation>
    </message>
    <message>
        <source>key for this run</source>
        <translation>مفتاح لهذا التشغيل</translation>
    </message>
    <message>
        <source>no key</source>
        <translation>بلا مفتاح</translation>
    </message>
    <message>
        <source>key withheld</source>
        <translation>المفتاح محجوب</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>متخطّى</translation>
    </message>
    <message>
        <source>list the providers that are set up</source>
        <translation>سرد المزوّدين المُعدّين</translation>
    </message>
    <message>
        <source>test each of them, step by step</source>
        <translation>اختبار كل منهم خطوة بخطوة</translation>
    </message>
    <message>
        <source>allow this provider&apos;s key to be sent to its current server</source>
        <translation>السماح بإرسال مفتاح هذا المزوّد إلى خادمه الحالي</translation>
    </message>
    <message>
        <source>No key of {provider} is waiting for your agreement.</source>
        <translation>لا ينتظر أي مفتاح لـ {provider} موافقتك.</translation>
    </message>
    <message>
        <source>with --agree: do not ask</source>
        <translation>مع ‎--agree: بلا سؤال</translation>
    </message>
    <message>
        <source>a JSON array</source>
        <translation>مصفوفة JSON</translation>
    </message>
    <message>
        <source>Offline demo</source>
        <translation>العرض التجريبي دون اتصال</translation>
    </message>
    <message>
        <source>Agreed: the key of {provider} goes to {server}.</source>
        <translation>تمت الموافقة: يُرسَل مفتاح {provider} إلى {server}.</translation>
    </message>
    <message>
        <source>Offline demo, without network</source>
        <translation>العرض التجريبي دون اتصال، بلا شبكة</translation>
    </message>
    <message>
        <source>switched off</source>
        <translation>مُعطَّل</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>الرسائل</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>المحادثات</translation>
    </message>
    <message>
        <source>Projects</source>
        <translation>المشاريع</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>الوسوم</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>الملفات</translation>
    </message>
    <message>
        <source>search messages, threads, projects, tags and files</source>
        <translation>البحث في الرسائل والمحادثات والمشاريع والوسوم والملفات</translation>
    </message>
    <message>
        <source>words, &quot;phrases&quot;, begin*, -not, tag:, before:, …</source>
        <translation>كلمات، &quot;عبارات&quot;، بداية*، -استبعاد، tag:، before:، …</translation>
    </message>
    <message>
        <source>at most N hits of each kind (20)</source>
        <translation>N نتيجة على الأكثر من كل نوع (20)</translation>
    </message>
    <message>
        <source>a JSON array of groups</source>
        <translation>مصفوفة JSON من المجموعات</translation>
    </message>
    <message>
        <source>{kind} (more than {count})</source>
        <translation>{kind} (أكثر من {count})</translation>
    </message>
    <message>
        <source>{kind} ({count})</source>
        <translation>{kind} ({count})</translation>
    </message>
    <message>
        <source>Nothing was found.</source>
        <translation>لم يُعثر على شيء.</translation>
    </message>
    <message>
        <source>Indexing: {percent} %</source>
        <translation>الفهرسة: {percent} %</translation>
    </message>
    <message>
        <source>read, write, ask, admin or remote (read)</source>
        <translation>read أو write أو ask أو admin أو remote (read)</translation>
    </message>
    <message>
        <source>expire after N days</source>
        <translation>تنتهي الصلاحية بعد N يوم</translation>
    </message>
    <message>
        <source>at most N requests a minute</source>
        <translation>N طلب في الدقيقة على الأكثر</translation>
    </message>
    <message>
        <source>serve other programs on this computer until Ctrl+C</source>
        <translation>خدمة برامج أخرى على هذا الحاسوب حتى Ctrl+C</translation>
    </message>
    <message>
        <source>port to listen on; 0 means any free port</source>
        <translation>المنفذ الذي يُستمع عليه؛ 0 يعني أي منفذ حر</translation>
    </message>
    <message>
        <source>make, list and revoke tokens for other programs</source>
        <translation>إنشاء رموز الوصول للبرامج الأخرى وسردها وإبطالها</translation>
    </message>
    <message>
        <source>make a token and print it; it is not shown again</source>
        <translation>إنشاء رمز وصول وطباعته؛ ولا يُعرض مرة أخرى</translation>
    </message>
    <message>
        <source>name of the program that will use it</source>
        <translation>اسم البرنامج الذي سيستخدمه</translation>
    </message>
    <message>
        <source>allow access to this project only</source>
        <translation>السماح بالوصول إلى هذا المشروع فقط</translation>
    </message>
    <message>
        <source>use at most N model tokens a minute</source>
        <translation>استخدام N من رموز النماذج في الدقيقة على الأكثر</translation>
    </message>
    <message>
        <source>spend at most USD dollars a day</source>
        <translation>إنفاق USD دولار في اليوم على الأكثر</translation>
    </message>
    <message>
        <source>write the token to this file instead of printing it</source>
        <translation>كتابة رمز الوصول في هذا الملف بدل عرضه</translation>
    </message>
    <message>
        <source>list the tokens, without their secret texts</source>
        <translation>سرد رموز الوصول، من دون نصوصها السرية</translation>
    </message>
    <message>
        <source>revoke a token and end what is being done with it</source>
        <translation>إبطال رمز وصول وإنهاء ما يجري به</translation>
    </message>
    <message>
        <source>its name or id</source>
        <translation>اسمه أو معرّفه</translation>
    </message>
    <message>
        <source>Listening on {url}</source>
        <translation>يجري الاستماع على {url}</translation>
    </message>
    <message>
        <source>Listening on {socket}</source>
        <translation>يجري الاستماع على {socket}</translation>
    </message>
    <message>
        <source>The token “{name}”, which is shown only now:</source>
        <translation>رمز الوصول «{name}»، ولا يظهر إلا الآن:</translation>
    </message>
    <message>
        <source>The token “{name}” is revoked.</source>
        <translation>أُبطل رمز الوصول «{name}».</translation>
    </message>
    <message>
        <source>never used</source>
        <translation>لم يُستخدم قط</translation>
    </message>
    <message>
        <source>used {time}</source>
        <translation>استُخدم {time}</translation>
    </message>
    <message>
        <source>until {time}</source>
        <translation>حتى {time}</translation>
    </message>
    <message>
        <source>There are no tokens.</source>
        <translation>لا توجد رموز وصول.</translation>
    </message>
    <message>
        <source>it must be a number from 0 to 65535</source>
        <translation>يجب أن يكون رقمًا بين 0 و65535</translation>
    </message>
    <message>
        <source>it must be a number above 0 and below 1,000,000</source>
        <translation>يجب أن يكون رقمًا أكبر من ٠ وأصغر من ١٬٠٠٠٬٠٠٠</translation>
    </message>
    <message>
        <source>share projects through a team&apos;s database</source>
        <translation>مشاركة المشاريع عبر قاعدة بيانات الفريق</translation>
    </message>
    <message>
        <source>Use Settings, Team sync in its window, or close it first.</source>
        <translation>استخدم الإعدادات، مزامنة الفريق في نافذته، أو أغلقه أولًا.</translation>
    </message>
    <message>
        <source>this profile is in no workspace</source>
        <translation>هذا الملف الشخصي ليس في أي مساحة عمل</translation>
    </message>
    <message>
        <source>owner</source>
        <translation>مالك</translation>
    </message>
    <message>
        <source>show the state of this profile&apos;s workspaces, and what was refused</source>
        <translation>عرض حالة مساحات العمل في هذا الملف، وما رُفض</translation>
    </message>
    <message>
        <source>check a server before making a workspace, or what the server of one has lost</source>
        <translation>فحص خادم قبل إنشاء مساحة عمل، أو ما فقده خادم مساحة عمل</translation>
    </message>
    <message>
        <source>show or set who may invite and share in a workspace, and its limits</source>
        <translation>عرض أو تعيين من يمكنه الدعوة والمشاركة في مساحة العمل وحدودها</translation>
    </message>
    <message>
        <source>what an owner of the workspace sets</source>
        <translation>ما يعيّنه مالك مساحة العمل</translation>
    </message>
    <message>
        <source>parked: this profile was restored, repaired or copied, and is not connected</source>
        <translation>موقوفة: استُعيد هذا الملف الشخصي أو أُصلح أو نُسخ، وهو غير متصل</translation>
    </message>
    <message>
        <source>&apos;chatdesk team join&apos; connects again</source>
        <translation>يتصل &apos;chatdesk team join&apos; من جديد</translation>
    </message>
    <message>
        <source>member</source>
        <translation>عضو</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared</source>
        <comment>{count} shared</comment>
        <translation>
            <numerusform>لا شيء مشترك</numerusform>
            <numerusform>واحد مشترك</numerusform>
            <numerusform>اثنان مشتركان</numerusform>
            <numerusform>{count} مشتركة</numerusform>
            <numerusform>{count} مشتركًا</numerusform>
            <numerusform>{count} مشترك</numerusform>
        </translation>
    </message>
    <message>
        <source>{waiting} waiting, {refused} refused</source>
        <translation>{waiting} قيد الانتظار، {refused} مرفوض</translation>
    </message>
    <message>
        <source>The window lets it go on without them: Settings, Team sync, Details.</source>
        <translation>تتيح النافذة المتابعة من دونها: الإعدادات، مزامنة الفريق، التفاصيل.</translation>
    </message>
    <message numerus="yes">
        <source>{number} projects</source>
        <comment>{number} project</comment>
        <translation>
            <numerusform>{number} مشروع</numerusform>
            <numerusform>{number} مشروع</numerusform>
            <numerusform>{number} مشروع</numerusform>
            <numerusform>{number} مشاريع</numerusform>
            <numerusform>{number} مشروعًا</numerusform>
            <numerusform>{number} مشروع</numerusform>
        </translation>
    </message>
    <message>
        <source>list the members, as the server has them now</source>
        <translation>سرد الأعضاء كما هم على الخادم الآن</translation>
    </message>
    <message>
        <source>name or id of the workspace, if there are several</source>
        <translation>اسم مساحة العمل أو معرّفها، إن كانت هناك عدة مساحات</translation>
    </message>
    <message>
        <source>wait for the server at most this long ({seconds})</source>
        <translation>أقصى مدة لانتظار الخادم ({seconds})</translation>
    </message>
    <message>
        <source>Only owners erase a project.</source>
        <translation>المالكون وحدهم يمحون المشاريع.</translation>
    </message>
    <message>
        <source>“{name}” is erased.</source>
        <translation>مُحي «{name}».</translation>
    </message>
    <message>
        <source>There is no such workspace in this profile.</source>
        <translation>لا توجد مساحة عمل كهذه في هذا الملف الشخصي.</translation>
    </message>
    <message>
        <source>&apos;chatdesk team status&apos; lists them.</source>
        <translation>الأمر &apos;chatdesk team status&apos; يسردها.</translation>
    </message>
    <message>
        <source>There are several workspaces.</source>
        <translation>توجد عدة مساحات عمل.</translation>
    </message>
    <message>
        <source>Name one by its id; &apos;chatdesk team status&apos; lists them.</source>
        <translation>سمِّ إحداها بمعرّفها؛ يسردها &apos;chatdesk team status&apos;.</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys: </source>
        <translation>عبارة مرور ملف المفاتيح: </translation>
    </message>
    <message>
        <source>There is no keyring here. New passphrase for an encrypted file of keys: </source>
        <translation>لا توجد حلقة مفاتيح هنا. عبارة مرور جديدة لملف مفاتيح مشفّر: </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait</source>
        <comment>{count} change waits</comment>
        <translation>
            <numerusform>لا تغييرات تنتظر</numerusform>
            <numerusform>تغيير واحد ينتظر</numerusform>
            <numerusform>تغييران ينتظران</numerusform>
            <numerusform>{count} تغييرات تنتظر</numerusform>
            <numerusform>{count} تغييرًا ينتظر</numerusform>
            <numerusform>{count} تغيير ينتظر</numerusform>
        </translation>
    </message>
    <message>
        <source>No passphrase was given.</source>
        <translation>لم تُعطَ عبارة المرور.</translation>
    </message>
    <message>
        <source>Type it when you are asked, give it as the next line of stdin, or set {variable}.</source>
        <translation>اكتبها عندما تُسأل، أو أعطها في السطر التالي من الإدخال القياسي، أو اضبط {variable}.</translation>
    </message>
    <message>
        <source>make a workspace in an empty database</source>
        <translation>إنشاء مساحة عمل في قاعدة بيانات فارغة</translation>
    </message>
    <message>
        <source>name of the workspace</source>
        <translation>اسم مساحة العمل</translation>
    </message>
    <message>
        <source>your name, as the others see it</source>
        <translation>اسمك كما يراه الآخرون</translation>
    </message>
    <message>
        <source>print an invitation</source>
        <translation>طباعة دعوة</translation>
    </message>
    <message>
        <source>name of the person</source>
        <translation>اسم الشخص</translation>
    </message>
    <message>
        <source>valid for N days (7)</source>
        <translation>صالحة N يوم (7)</translation>
    </message>
    <message>
        <source>stop being a member, on all computers</source>
        <translation>إنهاء العضوية، على كل الحواسيب</translation>
    </message>
    <message>
        <source>upgrade the database of a workspace</source>
        <translation>ترقية قاعدة بيانات مساحة العمل</translation>
    </message>
    <message>
        <source>the login that set the database up</source>
        <translation>اسم الدخول الذي أُعدّت به قاعدة البيانات</translation>
    </message>
    <message>
        <source>read a password and print the form in which Postgres stores it</source>
        <translation>قراءة كلمة مرور وطباعة الصيغة التي يخزّنها بها Postgres</translation>
    </message>
    <message>
        <source>The workspace {name} was made. You are its owner.</source>
        <translation>أُنشئت مساحة العمل {name}. وأنت مالكها.</translation>
    </message>
    <message>
        <source>The invitation is in {file}. Anyone who has it can join.</source>
        <translation>الدعوة في {file}. يمكن لمن يملكها أن ينضم.</translation>
    </message>
    <message>
        <source>Passphrase: </source>
        <translation>عبارة المرور: </translation>
    </message>
    <message>
        <source>You are in the workspace {name} now.</source>
        <translation>أنت الآن في مساحة العمل {name}.</translation>
    </message>
    <message>
        <source>Leave {name}? Its projects stay here as private copies.</source>
        <translation>هل تريد مغادرة {name}؟ تبقى مشاريعها هنا نسخًا خاصة.</translation>
    </message>
    <message>
        <source>You left {name}.</source>
        <translation>غادرت {name}.</translation>
    </message>
    <message>
        <source>Connect to {name}, the database {database} on {host}:{port}?</source>
        <translation>هل تريد الاتصال بـ {name}، قاعدة البيانات {database} على {host}:{port}؟</translation>
    </message>
    <message>
        <source>You are in {name} again.</source>
        <translation>أنت في {name} من جديد.</translation>
    </message>
    <message>
        <source>shared project, and the role in it: viewer, editor, admin or owner; may be repeated</source>
        <translation>مشروع مشترك والدور فيه: viewer أو editor أو admin أو owner؛ يمكن تكراره</translation>
    </message>
    <message>
        <source>write the invitation to this file instead of printing it</source>
        <translation>كتابة الدعوة في هذا الملف بدل طباعتها</translation>
    </message>
    <message>
        <source>join with an invitation, or with a code from another computer of yours</source>
        <translation>الانضمام بدعوة، أو برمز من حاسوب آخر لك</translation>
    </message>
    <message>
        <source>accept a server without encryption</source>
        <translation>قبول خادم بلا تعمية</translation>
    </message>
    <message>
        <source>stop syncing; everything stays on this computer</source>
        <translation>إيقاف المزامنة؛ ويبقى كل شيء على هذا الحاسوب</translation>
    </message>
    <message>
        <source>print a code for another computer of yours</source>
        <translation>طباعة رمز لحاسوب آخر لك</translation>
    </message>
    <message>
        <source>write the code to this file instead of printing it</source>
        <translation>كتابة الرمز السري في هذا الملف بدل عرضه</translation>
    </message>
    <message>
        <source>login that owns the database and may create roles</source>
        <translation>حساب الدخول الذي يملك قاعدة البيانات ويحق له إنشاء الأدوار</translation>
    </message>
    <message>
        <source>address of the server, as postgresql://login@host:5432/database</source>
        <translation>عنوان الخادم، بالصيغة postgresql://login@host:5432/database</translation>
    </message>
    <message>
        <source>file with the invitation or the code; - reads it from stdin. Without it, a parked team is joined again</source>
        <translation>ملف الدعوة أو الرمز؛ و- تقرؤه من stdin. من دونه يُعاد الانضمام إلى فريق موقوف</translation>
    </message>
    <message>
        <source>name or IP address of the server, instead of --url</source>
        <translation>اسم الخادم أو عنوان IP، بدل --url</translation>
    </message>
    <message>
        <source>name of the database</source>
        <translation>اسم قاعدة البيانات</translation>
    </message>
    <message>
        <source>certificate of the server&apos;s authority, if it is a private one</source>
        <translation>شهادة جهة إصدار الخادم، إن كانت جهة خاصة</translation>
    </message>
    <message>
        <source>connect without encryption; only for a network of your own</source>
        <translation>الاتصال بلا تعمية؛ لشبكتك الخاصة فقط</translation>
    </message>
    <message>
        <source>for {name}; it works once, and anyone who has it can join</source>
        <translation>من أجل {name}؛ تصلح مرة واحدة، ويمكن لكل من يملكها الانضمام</translation>
    </message>
    <message>
        <source>its passphrase is {passphrase}; both are valid for a day</source>
        <translation>عبارة مروره هي {passphrase}؛ وكلاهما صالح ليوم واحد</translation>
    </message>
    <message>
        <source>The database of {name} is up to date.</source>
        <translation>قاعدة بيانات {name} محدّثة.</translation>
    </message>
    <message>
        <source>Password of {user}: </source>
        <translation>كلمة مرور {user}: </translation>
    </message>
    <message>
        <source>Password: </source>
        <translation>كلمة المرور: </translation>
    </message>
    <message>
        <source>The others see you as {name}.</source>
        <translation>يراك الآخرون باسم {name}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared projects are called “{name}”.</source>
        <comment>{count} shared project is called “{name}”.</comment>
        <translation>
            <numerusform>لا مشاريع مشتركة باسم «{name}».</numerusform>
            <numerusform>يوجد مشروع مشترك واحد باسم «{name}».</numerusform>
            <numerusform>يوجد مشروعان مشتركان باسم «{name}».</numerusform>
            <numerusform>توجد {count} مشاريع مشتركة باسم «{name}».</numerusform>
            <numerusform>يوجد {count} مشروعًا مشتركًا باسم «{name}».</numerusform>
            <numerusform>يوجد {count} مشروع مشترك باسم «{name}».</numerusform>
        </translation>
    </message>
    <message>
        <source>No shared project is called “{name}”.</source>
        <translation>لا يوجد مشروع مشترك باسم «{name}».</translation>
    </message>
    <message>
        <source>Nobody was invited.</source>
        <translation>لم يُدعَ أحد.</translation>
    </message>
    <message>
        <source>Share it first (&apos;chatdesk team share&apos;), or give its id.</source>
        <translation>شاركه أولًا (&apos;chatdesk team share&apos;)، أو اذكر معرّفه.</translation>
    </message>
    <message>
        <source>“{given}” is not a limit with its value.</source>
        <translation>«{given}» ليس حدًا مع قيمته.</translation>
    </message>
    <message>
        <source>Use NAME=VALUE with one of these names: {names}.</source>
        <translation>استخدم NAME=VALUE مع أحد هذه الأسماء: {names}.</translation>
    </message>
    <message>
        <source>“{role}” is not a role.</source>
        <translation>«{role}» ليس دورًا.</translation>
    </message>
    <message>
        <source>Use viewer, editor, admin or owner.</source>
        <translation>استخدم viewer أو editor أو admin أو owner.</translation>
    </message>
    <message>
        <source>Do not put a password into the arguments: everybody on this computer can see them.</source>
        <translation>لا تضع كلمة مرور في المعطيات: يمكن لكل من يستخدم هذا الحاسوب رؤيتها.</translation>
    </message>
    <message>
        <source>Nothing was sent.</source>
        <translation>لم يُرسَل شيء.</translation>
    </message>
    <message>
        <source>Change that password, since others may have seen it, and give the new one on stdin or in {variable}.</source>
        <translation>غيّر كلمة المرور تلك، فربما رآها آخرون، وأدخل الجديدة عبر stdin أو في {variable}.</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form.</source>
        <translation>{name} ليس شهادة بصيغة PEM.</translation>
    </message>
    <message>
        <source>{path}: {reason}.</source>
        <translation>{path}: {reason}.</translation>
    </message>
    <message>
        <source>Check the name of the file.</source>
        <translation>تحقّق من اسم الملف.</translation>
    </message>
    <message>
        <source>share a project with a workspace</source>
        <translation>مشاركة مشروع مع مساحة عمل</translation>
    </message>
    <message>
        <source>send waiting changes and fetch those of others</source>
        <translation>إرسال التغييرات المنتظرة وجلب تغييرات الآخرين</translation>
    </message>
    <message>
        <source>Share “{project}” ({threads}, {messages}) with {workspace}? What is sent cannot be taken back from those who have read it.</source>
        <translation>هل تريد مشاركة «{project}» ({threads}، {messages}) مع {workspace}؟ لا يمكن استرداد ما أُرسل ممن قرؤوه.</translation>
    </message>
    <message>
        <source>“{name}” is the project into which new threads go: what you ask from now on without naming another project is shared, too.</source>
        <translation>«{name}» هو المشروع الذي تدخله المحادثات الجديدة: ما تسأله من الآن من دون ذكر مشروع آخر يُشارَك أيضًا.</translation>
    </message>
    <message>
        <source>“{project}” is shared with {workspace}.</source>
        <translation>تجري مشاركة «{project}» مع {workspace}.</translation>
    </message>
    <message>
        <source>This is a private copy.</source>
        <translation>هذه نسخة خاصة.</translation>
    </message>
    <message>
        <source>is up to date</source>
        <translation>محدَّثة</translation>
    </message>
    <message>
        <source>{state}, {count} refused (&apos;chatdesk team status&apos; lists them)</source>
        <translation>{state}، رُفض {count} (يسردها &apos;chatdesk team status&apos;)</translation>
    </message>
    <message>
        <source>{workspace}: {state}.</source>
        <translation>{workspace}: {state}.</translation>
    </message>
    <message>
        <source>The team has not got it yet: {problem} It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>لم يصل إلى الفريق بعد: {problem} ينتظر هنا؛ والأمر &apos;chatdesk team sync&apos; يرسله.</translation>
    </message>
    <message>
        <source>The team has not got it yet. It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>لم يصل إلى الفريق بعد. ينتظر هنا؛ والأمر &apos;chatdesk team sync&apos; يرسله.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here.</source>
        <comment>{count} change waits here.</comment>
        <translation>
            <numerusform>لا تغييرات تنتظر هنا.</numerusform>
            <numerusform>ينتظر هنا تغيير واحد.</numerusform>
            <numerusform>ينتظر هنا تغييران.</numerusform>
            <numerusform>تنتظر هنا {count} تغييرات.</numerusform>
            <numerusform>ينتظر هنا {count} تغييرًا.</numerusform>
            <numerusform>ينتظر هنا {count} تغيير.</numerusform>
        </translation>
    </message>
    <message>
        <source>&apos;chatdesk team sync&apos; continues.</source>
        <translation>الأمر &apos;chatdesk team sync&apos; يتابع.</translation>
    </message>
    <message>
        <source>This project is not shared.</source>
        <translation>هذا المشروع غير مشترك.</translation>
    </message>
    <message>
        <source>list projects, or make one</source>
        <translation>سرد المشاريع أو إنشاء مشروع</translation>
    </message>
    <message>
        <source>make a project and print its id</source>
        <translation>إنشاء مشروع وطباعة معرّفه</translation>
    </message>
    <message>
        <source>name of the project</source>
        <translation>اسم المشروع</translation>
    </message>
    <message>
        <source>list threads, latest first</source>
        <translation>سرد المحادثات، الأحدث أولًا</translation>
    </message>
    <message>
        <source>list archived threads</source>
        <translation>سرد المحادثات المؤرشفة</translation>
    </message>
    <message>
        <source>list threads in the trash</source>
        <translation>سرد المحادثات التي في سلة المهملات</translation>
    </message>
    <message>
        <source>list threads of this project</source>
        <translation>سرد محادثات هذا المشروع</translation>
    </message>
    <message>
        <source>list threads with this tag</source>
        <translation>سرد المحادثات التي تحمل هذا الوسم</translation>
    </message>
    <message>
        <source>at most N threads (50)</source>
        <translation>N محادثة على الأكثر (50)</translation>
    </message>
    <message>
        <source>print a thread</source>
        <translation>طباعة محادثة</translation>
    </message>
    <message>
        <source>(archived)</source>
        <translation>(مؤرشفة)</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the projects.</source>
        <translation>ChatDesk مفتوح ويحتفظ بالمشاريع.</translation>
    </message>
    <message>
        <source>Make the project there, or close ChatDesk first.</source>
        <translation>أنشئ المشروع هناك، أو أغلق ChatDesk أولًا.</translation>
    </message>
    <message>
        <source>There is no tag “{tag}”.</source>
        <translation>لا يوجد وسم «{tag}».</translation>
    </message>
    <message>
        <source>Check its name in the window.</source>
        <translation>تحقّق من اسمه في النافذة.</translation>
    </message>
    <message>
        <source>There are no threads here yet.</source>
        <translation>لا توجد محادثات هنا بعد.</translation>
    </message>
    <message>
        <source>“{wanted}” is not the beginning of a thread&apos;s id.</source>
        <translation>«{wanted}» ليس بداية معرّف محادثة.</translation>
    </message>
    <message>
        <source>Give at least {count} of its characters; &apos;chatdesk threads&apos; lists them.</source>
        <translation>اذكر {count} على الأقل من حروفه؛ الأمر &apos;chatdesk threads&apos; يسردها.</translation>
    </message>
    <message>
        <source>No thread&apos;s id begins with {prefix}.</source>
        <translation>لا معرّف محادثة يبدأ بـ {prefix}.</translation>
    </message>
    <message>
        <source>&apos;chatdesk threads&apos; lists them.</source>
        <translation>الأمر &apos;chatdesk threads&apos; يسردها.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads have ids that begin with {prefix}.</source>
        <comment>{count} thread has an id that begins with {prefix}.</comment>
        <translation>
            <numerusform>لا محادثات تبدأ معرّفاتها بـ {prefix}.</numerusform>
            <numerusform>توجد محادثة واحدة يبدأ معرّفها بـ {prefix}.</numerusform>
            <numerusform>توجد محادثتان يبدأ معرّفاهما بـ {prefix}.</numerusform>
            <numerusform>توجد {count} محادثات تبدأ معرّفاتها بـ {prefix}.</numerusform>
            <numerusform>توجد {count} محادثة تبدأ معرّفاتها بـ {prefix}.</numerusform>
            <numerusform>توجد {count} محادثة تبدأ معرّفاتها بـ {prefix}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give more of the id.</source>
        <translation>اذكر مزيدًا من المعرّف.</translation>
    </message>
    <message>
        <source>it must be a whole number, at least 1</source>
        <translation>يجب أن يكون عددًا صحيحًا، ١ على الأقل</translation>
    </message>
    <message>
        <source>See &apos;chatdesk projects&apos;.</source>
        <translation>راجع &apos;chatdesk projects&apos;.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects are called “{name}”: {projects}.</source>
        <comment>{count} project is called “{name}”: {projects}.</comment>
        <translation>
            <numerusform>لا مشاريع باسم «{name}»: {projects}.</numerusform>
            <numerusform>يوجد مشروع واحد باسم «{name}»: {projects}.</numerusform>
            <numerusform>يوجد مشروعان باسم «{name}»: {projects}.</numerusform>
            <numerusform>توجد {count} مشاريع باسم «{name}»: {projects}.</numerusform>
            <numerusform>يوجد {count} مشروعًا باسم «{name}»: {projects}.</numerusform>
            <numerusform>يوجد {count} مشروع باسم «{name}»: {projects}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give the id of one.</source>
        <translation>اذكر معرّف أحدها.</translation>
    </message>
    <message>
        <source>No project is called “{name}”.</source>
        <translation>لا يوجد مشروع باسم «{name}».</translation>
    </message>
    <message>
        <source>No project that is shared is called “{name}”.</source>
        <translation>لا يوجد مشروع مشترك باسم «{name}».</translation>
    </message>
    <message>
        <source>No project that is not shared yet is called “{name}”.</source>
        <translation>لا يوجد مشروع غير مشترك بعد باسم «{name}».</translation>
    </message>
    <message>
        <source>switch a server on</source>
        <translation>تشغيل خادم</translation>
    </message>
    <message>
        <source>switch a server off</source>
        <translation>تعطيل خادم</translation>
    </message>
    <message>
        <source>sign in to a server over HTTP, in your browser</source>
        <translation>تسجيل الدخول إلى خادم عبر HTTP، في متصفّحك</translation>
    </message>
    <message>
        <source>start servers and list their tools, step by step</source>
        <translation>تشغيل الخوادم وسرد أدواتها خطوة بخطوة</translation>
    </message>
    <message>
        <source>environment variable whose value is kept in the keyring and given to the server; may be repeated</source>
        <translation>متغيّر بيئة تُحفظ قيمته في حلقة المفاتيح وتُعطى للخادم؛ يمكن تكراره</translation>
    </message>
    <message>
        <source>remove a server</source>
        <translation>إزالة خادم</translation>
    </message>
    <message>
        <source>sign out of a server</source>
        <translation>تسجيل الخروج من خادم</translation>
    </message>
    <message>
        <source>set up the servers whose tools models may use</source>
        <translation>إعداد الخوادم التي يجوز للنماذج استخدام أدواتها</translation>
    </message>
    <message>
        <source>list the servers, and whether they are on</source>
        <translation>سرد الخوادم، وما إذا كانت مشغَّلة</translation>
    </message>
    <message>
        <source>add a server; put options before its name</source>
        <translation>إضافة خادم؛ ضع الخيارات قبل اسمه</translation>
    </message>
    <message>
        <source>name of the server</source>
        <translation>اسم الخادم</translation>
    </message>
    <message>
        <source>program to run, with its arguments</source>
        <translation>البرنامج الذي يُشغَّل، مع معطياته</translation>
    </message>
    <message>
        <source>address of the server, if it is reached over HTTP</source>
        <translation>عنوان الخادم، إن كان الوصول إليه عبر HTTP</translation>
    </message>
    <message>
        <source>id of the OAuth client that you registered for the address</source>
        <translation>معرّف عميل OAuth الذي سجّلته لهذا العنوان</translation>
    </message>
    <message>
        <source>environment variable that holds the client&apos;s secret</source>
        <translation>متغيّر البيئة الذي يضم سرّ العميل</translation>
    </message>
    <message>
        <source>folder in which the program runs (by default an empty one)</source>
        <translation>المجلّد الذي يعمل فيه البرنامج (افتراضيًا مجلّد فارغ)</translation>
    </message>
    <message>
        <source>add servers from the JSON settings of another program</source>
        <translation>إضافة خوادم من إعدادات JSON لبرنامج آخر</translation>
    </message>
    <message>
        <source>file with the JSON; - reads it from stdin</source>
        <translation>ملف JSON؛ يقرأه - من stdin</translation>
    </message>
    <message>
        <source>id of the server (by default all that are on)</source>
        <translation>معرّف الخادم (افتراضيًا كل الخوادم المشغَّلة)</translation>
    </message>
    <message>
        <source>id of the server</source>
        <translation>معرّف الخادم</translation>
    </message>
    <message>
        <source>list what tools may do without asking again</source>
        <translation>سرد ما يجوز للأدوات فعله من دون سؤال جديد</translation>
    </message>
    <message>
        <source>take back permissions of a server&apos;s tools</source>
        <translation>سحب أذونات أدوات خادم</translation>
    </message>
    <message>
        <source>name of the tool (by default all tools of the server)</source>
        <translation>اسم الأداة (افتراضيًا كل أدوات الخادم)</translation>
    </message>
    <message>
        <source>show or set the folder in which tools work for a project</source>
        <translation>عرض أو تعيين المجلّد الذي تعمل فيه الأدوات لمشروع</translation>
    </message>
    <message>
        <source>folder to set; without it, the current one is shown</source>
        <translation>المجلّد الذي يُعيَّن؛ من دونه يُعرض الحالي</translation>
    </message>
    <message>
        <source>remove the folder from the project</source>
        <translation>إزالة المجلّد من المشروع</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the tool servers.</source>
        <translation>ChatDesk مفتوح وهو الذي يحفظ خوادم الأدوات.</translation>
    </message>
    <message>
        <source>Change them in Settings, Tools, or close ChatDesk first.</source>
        <translation>غيّرها في الإعدادات، الأدوات، أو أغلق ChatDesk أولًا.</translation>
    </message>
    <message>
        <source>on</source>
        <translation>مشغّل</translation>
    </message>
    <message>
        <source>off</source>
        <translation>متوقف</translation>
    </message>
    <message>
        <source>A server has either an address or a command.</source>
        <translation>للخادم إما عنوان وإما أمر.</translation>
    </message>
    <message>
        <source>Write: add --address URL NAME, or: add NAME COMMAND ARGUMENTS.</source>
        <translation>اكتب: add --address URL NAME، أو: add NAME COMMAND ARGUMENTS.</translation>
    </message>
    <message>
        <source>The variable {first} is not set here.</source>
        <translation>المتغيّر {first} غير معيَّن هنا.</translation>
    </message>
    <message>
        <source>{name}: {field} is still to be filled in.</source>
        <translation>{name}: ما زال يجب ملء {field}.</translation>
    </message>
    <message>
        <source>They are off until you switch them on: chatdesk tools on SERVER.</source>
        <translation>هي متوقفة إلى أن تشغّلها: chatdesk tools on SERVER.</translation>
    </message>
    <message>
        <source>There was no such permission.</source>
        <translation>لم يكن هناك إذن كهذا.</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>سليم</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>فشل</translation>
    </message>
    <message>
        <source>Sign in to {name} in your browser. If no page opens, open this one:</source>
        <translation>سجّل الدخول إلى {name} في متصفّحك. إن لم تُفتح صفحة، فافتح هذه:</translation>
    </message>
    <message>
        <source>Signed in.</source>
        <translation>تم تسجيل الدخول.</translation>
    </message>
    <message>
        <source>{name} did not ask you to sign in.</source>
        <translation>لم يطلب {name} منك تسجيل الدخول.</translation>
    </message>
    <message>
        <source>Signed out, here and at the server.</source>
        <translation>تم تسجيل الخروج، هنا وعلى الخادم.</translation>
    </message>
    <message>
        <source>Signed out on this computer. The server was not told, or cannot withdraw the sign-in.</source>
        <translation>تم تسجيل الخروج على هذا الحاسوب. لم يُبلَّغ الخادم، أو لا يمكنه سحب تسجيل الدخول.</translation>
    </message>
    <message>
        <source>There is no tool server “{name}”.</source>
        <translation>لا يوجد خادم أدوات باسم «{name}».</translation>
    </message>
    <message>
        <source>See chatdesk tools list.</source>
        <translation>راجع chatdesk tools list.</translation>
    </message>
    <message>
        <source>comes with ChatDesk</source>
        <translation>يأتي مع ChatDesk</translation>
    </message>
    <message>
        <source>{place} could not be read.</source>
        <translation>تعذّرت قراءة {place}.</translation>
    </message>
    <message>
        <source>address of SearXNG</source>
        <translation>عنوان SearXNG</translation>
    </message>
    <message>
        <source>The variable {key} is not set here.</source>
        <translation>المتغيّر {key} غير معيَّن هنا.</translation>
    </message>
    <message>
        <source>show or set the search engine that models use for the web</source>
        <translation>عرض أو تعيين محرّك البحث الذي تستخدمه النماذج في الويب</translation>
    </message>
    <message>
        <source>environment variable that holds the key</source>
        <translation>متغيّر البيئة الذي يضم المفتاح</translation>
    </message>
    <message>
        <source>test the engine step by step; an ENGINE that is given is tested without being set</source>
        <translation>اختبار المحرّك خطوة بخطوة؛ وإن أُعطي ENGINE فإنه يُختبر من دون تعيينه</translation>
    </message>
    <message>
        <source>remove the stored key of the engine</source>
        <translation>إزالة مفتاح المحرّك المحفوظ</translation>
    </message>
    <message>
        <source>print a JSON object, or with --test an array of its steps</source>
        <translation>طباعة كائن JSON، أو مع --test مصفوفة بخطواته</translation>
    </message>
    <message>
        <source>Name the engine whose key should be removed.</source>
        <translation>سمِّ المحرّك الذي ينبغي إزالة مفتاحه.</translation>
    </message>
    <message>
        <source>with a key</source>
        <translation>بمفتاح</translation>
    </message>
    <message>
        <source>without a key</source>
        <translation>بلا مفتاح</translation>
    </message>
    <message>
        <source>No search engine is chosen.</source>
        <translation>لم يُختر أي محرّك بحث.</translation>
    </message>
    <message>
        <source>Name one to test it.</source>
        <translation>اذكر واحدًا لاختباره.</translation>
    </message>
    <message>
        <source>Left out: an answer has at most {most_in_message} pictures.</source>
        <translation>تُركت: للإجابة {most_in_message} من الصور على الأكثر.</translation>
    </message>
    <message>
        <source>Not kept: {reason}</source>
        <translation>لم يُحفَظ: {reason}</translation>
    </message>
    <message>
        <source>The pictures of this answer are larger than {most_bytes} MB together.</source>
        <translation>صور هذه الإجابة معًا أكبر من {most_bytes} م.ب.</translation>
    </message>
    <message>
        <source>It is not a picture that can be shown.</source>
        <translation>ليست صورة يمكن عرضها.</translation>
    </message>
    <message>
        <source>The picture is damaged.</source>
        <translation>الصورة تالفة.</translation>
    </message>
    <message>
        <source>The picture is empty.</source>
        <translation>الصورة فارغة.</translation>
    </message>
    <message>
        <source>Remove some and send them with the next message, or raise the limit in Settings, Usage and limits.</source>
        <translation>أزل بعضها وأرسلها مع الرسالة التالية، أو ارفع الحدّ في الإعدادات، الاستخدام والحدود.</translation>
    </message>
    <message>
        <source>Choose another file, or change the kinds in Settings, Usage and limits.</source>
        <translation>اختر ملفًا آخر، أو غيّر الأنواع في الإعدادات، الاستخدام والحدود.</translation>
    </message>
    <message>
        <source>Your text and the attachments are kept.</source>
        <translation>نصك والمرفقات محفوظة.</translation>
    </message>
    <message>
        <source>“{name}” is of a kind that may not be attached: {mime}.</source>
        <translation>«{name}» من نوع لا يُسمح بإرفاقه: {mime}.</translation>
    </message>
    <message>
        <source>A message can have at most {number} files; there are {attachments}.</source>
        <translation>يمكن أن تضم الرسالة {number} ملفات على الأكثر؛ وعددها {attachments}.</translation>
    </message>
    <message>
        <source>The files of one message can have at most {limit} together; these have {total}.</source>
        <translation>يمكن أن تبلغ ملفات الرسالة الواحدة معًا {limit} على الأكثر؛ وهذه تبلغ {total}.</translation>
    </message>
    <message>
        <source>With “{name}”, the files attached today would have {total}; the limit for a day is {limit}.</source>
        <translation>مع «{name}» ستبلغ الملفات المرفقة اليوم {total}؛ والحد لليوم الواحد هو {limit}.</translation>
    </message>
    <message>
        <source>Your text and the other attachments are kept.</source>
        <translation>نصك والمرفقات الأخرى محفوظة.</translation>
    </message>
    <message>
        <source>Attach it tomorrow, or raise the limit in Settings, Usage and limits.</source>
        <translation>أرفقه غدًا، أو ارفع الحدّ في الإعدادات، الاستخدام والحدود.</translation>
    </message>
    <message>
        <source>A message can have {number} files; {number_2} were left out.</source>
        <translation>يمكن أن تضم الرسالة {number} ملفات؛ واستُبعد {number_2}.</translation>
    </message>
    <message>
        <source>The attached file is no longer there.</source>
        <translation>الملف المرفق لم يعد موجودًا.</translation>
    </message>
    <message>
        <source>The attached file is larger than it was.</source>
        <translation>الملف المرفق أكبر مما كان.</translation>
    </message>
    <message>
        <source>That is not the checksum of a file.</source>
        <translation>هذا ليس مجموع تحقّق لملف.</translation>
    </message>
    <message>
        <source>The file could not be stored with your messages: {reason}.</source>
        <translation>تعذّر تخزين الملف مع رسائلك: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk or choose another data directory, then attach it again.</source>
        <translation>أفسح مكانًا على القرص أو اختر دليل بيانات آخر، ثم أرفقه من جديد.</translation>
    </message>
    <message>
        <source>It needs too much time or memory to be read.</source>
        <translation>تحتاج قراءته إلى وقت أو ذاكرة أكثر مما ينبغي.</translation>
    </message>
    <message>
        <source>It is damaged.</source>
        <translation>هو تالف.</translation>
    </message>
    <message>
        <source>It has more than {most_pixels} million pixels.</source>
        <translation>فيه أكثر من {most_pixels} مليون بكسل.</translation>
    </message>
    <message>
        <source>It is damaged, or not an image that can be shown.</source>
        <translation>إنها تالفة، أو ليست صورة يمكن عرضها.</translation>
    </message>
    <message>
        <source>“{name}” is empty.</source>
        <translation>«{name}» فارغ.</translation>
    </message>
    <message>
        <source>Attach a file that is not empty.</source>
        <translation>أرفق ملفًا غير فارغ.</translation>
    </message>
    <message>
        <source>The image “{name}” cannot be attached. {reason}</source>
        <translation>تعذّر إرفاق الصورة «{name}». {reason}</translation>
    </message>
    <message>
        <source>Save it again with a drawing program, smaller if need be, and attach that.</source>
        <translation>احفظه من جديد ببرنامج رسم، أصغر إن لزم، وأرفق ذلك.</translation>
    </message>
    <message>
        <source>“{name}” is not there.</source>
        <translation>«{name}» غير موجود.</translation>
    </message>
    <message>
        <source>“{name}” is not a file that can be read.</source>
        <translation>«{name}» ليس ملفًا يمكن قراءته.</translation>
    </message>
    <message>
        <source>“{name}” is a folder.</source>
        <translation>«{name}» مجلّد.</translation>
    </message>
    <message>
        <source>Attach the files in it.</source>
        <translation>أرفق الملفات التي فيه.</translation>
    </message>
    <message>
        <source>its name or place is not valid</source>
        <translation>اسمه أو موضعه غير صالح</translation>
    </message>
    <message>
        <source>“{name}” cannot be read: {reason}.</source>
        <translation>تتعذّر قراءة «{name}»: {reason}.</translation>
    </message>
    <message>
        <source>Check the file, then attach it again.</source>
        <translation>تحقّق من الملف، ثم أرفقه من جديد.</translation>
    </message>
    <message>
        <source>It needs too much memory.</source>
        <translation>يحتاج إلى ذاكرة أكثر مما ينبغي.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be read.</source>
        <translation>هو تالف وتتعذّر قراءته.</translation>
    </message>
    <message>
        <source>What {who} has there is not an image that can be shown.</source>
        <translation>ما لدى {who} هناك ليس صورة يمكن عرضها.</translation>
    </message>
    <message>
        <source>The image could not be loaded.</source>
        <translation>تعذّر تحميل الصورة.</translation>
    </message>
    <message>
        <source>The image is on another server: {host}.</source>
        <translation>الصورة على خادم آخر: {host}.</translation>
    </message>
    <message>
        <source>{host} is in your own network.</source>
        <translation>{host} في شبكتك الخاصة.</translation>
    </message>
    <message>
        <source>Shown by ChatDesk, once. Scripts and links are off; nothing is loaded or sent.</source>
        <translation>تُعرض داخل ChatDesk، مرة واحدة. البرامج النصية والروابط معطّلة؛ ولا يُحمَّل شيء ولا يُرسَل.</translation>
    </message>
    <message>
        <source>This page is empty.</source>
        <translation>هذه الصفحة فارغة.</translation>
    </message>
    <message>
        <source>Nothing was opened.</source>
        <translation>لم يُفتح شيء.</translation>
    </message>
    <message>
        <source>This page is larger than {most_bytes} MB.</source>
        <translation>هذه الصفحة أكبر من {most_bytes} م.ب.</translation>
    </message>
    <message>
        <source>Save it as a file instead.</source>
        <translation>احفظها ملفًا بدلًا من ذلك.</translation>
    </message>
    <message>
        <source>Files of this kind have no text that can be read.</source>
        <translation>ليس في ملفات هذا النوع نص تمكن قراءته.</translation>
    </message>
    <message>
        <source>There is no text in it.</source>
        <translation>لا يوجد فيه نص.</translation>
    </message>
    <message>
        <source>A program for text recognition, such as OCRmyPDF, makes a copy of it that can be read.</source>
        <translation>ينشئ برنامج للتعرّف على النص، مثل OCRmyPDF، نسخة منه تمكن قراءتها.</translation>
    </message>
    <message>
        <source>It is long; its first {cut} characters are read.</source>
        <translation>هو طويل؛ تُقرأ أول {cut} من حروفه.</translation>
    </message>
    <message>
        <source>It does not say how its characters are encoded. Read as {encoding}: “{sample}”.</source>
        <translation>لا يذكر الملف ترميز محارفه. قُرئ على أنه {encoding}: «{sample}».</translation>
    </message>
    <message>
        <source>It is protected by a password.</source>
        <translation>هو محمي بكلمة مرور.</translation>
    </message>
    <message>
        <source>No text can be read from it; it may hold scanned pages.</source>
        <translation>لا تمكن قراءة نص منه؛ فقد يضم صفحات ممسوحة ضوئيًا.</translation>
    </message>
    <message>
        <source>It is long; {read} of its {total} pages are read.</source>
        <translation>هو طويل؛ تُقرأ {read} من صفحاته الـ {total}.</translation>
    </message>
    <message>
        <source>{damaged} of its {total} pages cannot be read.</source>
        <translation>تتعذّر قراءة {damaged} من صفحاته الـ {total}.</translation>
    </message>
    <message>
        <source>{scanned} of its {total} pages are pictures.</source>
        <translation>{scanned} من صفحاته الـ {total} صور.</translation>
    </message>
    <message>
        <source>The virus scanner found something in the file.</source>
        <translation>عثر فاحص الفيروسات على شيء في الملف.</translation>
    </message>
    <message>
        <source>The file was kept out; your text and the other attachments are kept.</source>
        <translation>لم يُقبل الملف؛ نصك والمرفقات الأخرى محفوظة.</translation>
    </message>
    <message>
        <source>Do not open the file. If you trust it, ask whoever looks after the scanner.</source>
        <translation>لا تفتح الملف. إن كنت تثق به، فاسأل من يعتني بالفاحص.</translation>
    </message>
    <message>
        <source>The virus scanner does not answer, so the file was kept out.</source>
        <translation>فاحص الفيروسات لا يجيب، لذا لم يُقبل الملف.</translation>
    </message>
    <message>
        <source>Start the scanner, or change the scanner or what happens without it in Settings, Data and backup.</source>
        <translation>شغّل الفاحص، أو غيّر الفاحص أو ما يحدث من دونه في الإعدادات، البيانات والنسخ الاحتياطي.</translation>
    </message>
    <message>
        <source>Nothing was sent there. The file was kept out; your text and the other attachments are kept.</source>
        <translation>لم يُرسَل شيء إلى هناك. لم يُقبل الملف؛ وبقي نصك والمرفقات الأخرى محفوظة.</translation>
    </message>
    <message>
        <source>Enter the scanner anew in Settings, Data and backup, or set {variable} to its address.</source>
        <translation>أدخل الفاحص من جديد في الإعدادات، البيانات والنسخ الاحتياطي، أو عيّن {variable} إلى عنوانه.</translation>
    </message>
    <message>
        <source>The settings in this data directory, which may be somebody else&apos;s, name a virus scanner on another computer: {address}.</source>
        <translation>تحدّد الإعدادات في دليل البيانات هذا، الذي قد يكون لشخص آخر، فاحص فيروسات على حاسوب آخر: {address}.</translation>
    </message>
    <message>
        <source>The virus scanner found “{found}” in the file.</source>
        <translation>عثر فاحص الفيروسات على «{found}» في الملف.</translation>
    </message>
    <message>
        <source>This is not the address of a web page.</source>
        <translation>ليس هذا عنوان صفحة ويب.</translation>
    </message>
    <message>
        <source>Nothing was fetched.</source>
        <translation>لم يُجلب شيء.</translation>
    </message>
    <message>
        <source>There is a file of the type {mime} there.</source>
        <translation>يوجد هناك ملف من النوع {mime}.</translation>
    </message>
    <message>
        <source>ChatDesk is closing.</source>
        <translation>يجري إغلاق ChatDesk.</translation>
    </message>
    <message>
        <source>This message has no text that could be opened as an artifact.</source>
        <translation>ليس في هذه الرسالة نص يمكن فتحه ناتجًا.</translation>
    </message>
    <message>
        <source>The version is unchanged.</source>
        <translation>النسخة كما كانت.</translation>
    </message>
    <message>
        <source>This kind of file is not shown here. Save it, or open it with another program.</source>
        <translation>لا يُعرض هذا النوع من الملفات هنا. احفظه، أو افتحه ببرنامج آخر.</translation>
    </message>
    <message>
        <source>The file is too large to be shown here. Save it, or open it with another program.</source>
        <translation>الملف أكبر من أن يُعرض هنا. احفظه، أو افتحه ببرنامج آخر.</translation>
    </message>
    <message>
        <source>These versions are too large to be compared here.</source>
        <translation>هذه النسخ أكبر من أن تُقارن هنا.</translation>
    </message>
    <message>
        <source>Save both to compare.</source>
        <translation>احفظهما للمقارنة.</translation>
    </message>
    <message>
        <source>Nothing can be opened or edited here, because nothing can be written.</source>
        <translation>لا يمكن فتح شيء أو تحريره هنا، لأنه لا يمكن كتابة شيء.</translation>
    </message>
    <message>
        <source>The message has {size_bytes} bytes; the limit is {most_bytes} bytes.</source>
        <translation>حجم الرسالة {size_bytes} بايت؛ والحدّ {most_bytes} بايت.</translation>
    </message>
    <message>
        <source>The copying was stopped.</source>
        <translation>أُوقف النسخ.</translation>
    </message>
    <message>
        <source>Nothing can be attached here, because nothing can be written.</source>
        <translation>لا يمكن إرفاق شيء هنا، لأنه لا يمكن كتابة شيء.</translation>
    </message>
    <message>
        <source>ChatDesk was closing.</source>
        <translation>كان ChatDesk يُغلَق.</translation>
    </message>
    <message>
        <source>The file is no longer there.</source>
        <translation>الملف لم يعد موجودًا.</translation>
    </message>
    <message>
        <source>The page cannot be handed to your browser: {strerror}.</source>
        <translation>لا يمكن تسليم الصفحة إلى متصفّحك: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file or the folder is no longer there.</source>
        <translation>الملف المرفق أو المجلّد لم يعد موجودًا.</translation>
    </message>
    <message>
        <source>Choose another place.</source>
        <translation>اختر مكانًا آخر.</translation>
    </message>
    <message>
        <source>The file could not be written: {strerror}.</source>
        <translation>تعذّرت كتابة الملف: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file is unchanged.</source>
        <translation>الملف المرفق لم يتغيّر.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows.</source>
        <translation>تضم الصفحة من ١ إلى {largest_page} من الصفوف.</translation>
    </message>
    <message>
        <source>Summaries cannot be made here.</source>
        <translation>لا يمكن إنشاء ملخّصات هنا.</translation>
    </message>
    <message>
        <source>A summary needs some text.</source>
        <translation>يحتاج الملخّص إلى نص.</translation>
    </message>
    <message>
        <source>The old one is kept.</source>
        <translation>القديم محفوظ.</translation>
    </message>
    <message>
        <source>Or switch it off.</source>
        <translation>أو عطّله.</translation>
    </message>
    <message>
        <source>There may be {most_facts} facts of at most {longest_fact} characters.</source>
        <translation>قد توجد {most_facts} من الحقائق، طول كل منها {longest_fact} من الحروف على الأكثر.</translation>
    </message>
    <message>
        <source>The old ones are kept.</source>
        <translation>القديمة محفوظة.</translation>
    </message>
    <message>
        <source>{label} takes no {lacking} from other programs.</source>
        <translation>لا يقبل {label} من برامج أخرى: {lacking}.</translation>
    </message>
    <message>
        <source>Choose a provider that speaks chat completions.</source>
        <translation>اختر مزوّدًا يتكلم chat completions.</translation>
    </message>
    <message>
        <source>A draft cannot be empty.</source>
        <translation>لا يمكن أن تكون المسودة فارغة.</translation>
    </message>
    <message>
        <source>The thread has another draft, which a person may be writing.</source>
        <translation>في المحادثة مسودة أخرى، ربما يكتبها شخص.</translation>
    </message>
    <message>
        <source>It was not changed.</source>
        <translation>لم تتغيّر.</translation>
    </message>
    <message>
        <source>Write the draft into a new thread.</source>
        <translation>اكتب المسودة في محادثة جديدة.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows, not {limit}.</source>
        <translation>تضم الصفحة من ١ إلى {largest_page} من الصفوف، لا {limit}.</translation>
    </message>
    <message numerus="yes">
        <source>pin {count} threads</source>
        <comment>pin thread</comment>
        <translation>
            <numerusform>تثبيت لا محادثات</numerusform>
            <numerusform>تثبيت محادثة</numerusform>
            <numerusform>تثبيت محادثتين</numerusform>
            <numerusform>تثبيت {count} محادثات</numerusform>
            <numerusform>تثبيت {count} محادثة</numerusform>
            <numerusform>تثبيت {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unpin {count} threads</source>
        <comment>unpin thread</comment>
        <translation>
            <numerusform>إلغاء تثبيت لا محادثات</numerusform>
            <numerusform>إلغاء تثبيت محادثة</numerusform>
            <numerusform>إلغاء تثبيت محادثتين</numerusform>
            <numerusform>إلغاء تثبيت {count} محادثات</numerusform>
            <numerusform>إلغاء تثبيت {count} محادثة</numerusform>
            <numerusform>إلغاء تثبيت {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>archive {count} threads</source>
        <comment>archive thread</comment>
        <translation>
            <numerusform>أرشفة لا محادثات</numerusform>
            <numerusform>أرشفة محادثة</numerusform>
            <numerusform>أرشفة محادثتين</numerusform>
            <numerusform>أرشفة {count} محادثات</numerusform>
            <numerusform>أرشفة {count} محادثة</numerusform>
            <numerusform>أرشفة {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unarchive {count} threads</source>
        <comment>unarchive thread</comment>
        <translation>
            <numerusform>إلغاء أرشفة لا محادثات</numerusform>
            <numerusform>إلغاء أرشفة محادثة</numerusform>
            <numerusform>إلغاء أرشفة محادثتين</numerusform>
            <numerusform>إلغاء أرشفة {count} محادثات</numerusform>
            <numerusform>إلغاء أرشفة {count} محادثة</numerusform>
            <numerusform>إلغاء أرشفة {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move {count} threads</source>
        <comment>move thread</comment>
        <translation>
            <numerusform>نقل لا محادثات</numerusform>
            <numerusform>نقل محادثة</numerusform>
            <numerusform>نقل محادثتين</numerusform>
            <numerusform>نقل {count} محادثات</numerusform>
            <numerusform>نقل {count} محادثة</numerusform>
            <numerusform>نقل {count} محادثة</numerusform>
        </translation>
    </message>
    <message>
        <source>That is no note.</source>
        <translation>ليست هذه ملاحظة.</translation>
    </message>
    <message>
        <source>The files of the assistants are larger than {most_file_bytes} MB together.</source>
        <translation>ملفات المساعدين معًا أكبر من {most_file_bytes} م.ب.</translation>
    </message>
    <message>
        <source>The prompts are unchanged.</source>
        <translation>الموجِّهات لم تتغيّر.</translation>
    </message>
    <message>
        <source>Take large files out of the assistants, and attach them to a message instead.</source>
        <translation>أخرج الملفات الكبيرة من المساعدين، وأرفقها برسالة بدلًا من ذلك.</translation>
    </message>
    <message>
        <source>The file could not be read: {strerror}.</source>
        <translation>تعذّرت قراءة الملف: {strerror}.</translation>
    </message>
    <message>
        <source>The file is larger than {largest_file_bytes} MB.</source>
        <translation>الملف أكبر من {largest_file_bytes} م.ب.</translation>
    </message>
    <message>
        <source>The file is no JSON.</source>
        <translation>الملف ليس JSON.</translation>
    </message>
    <message>
        <source>The file contains no prompts of ChatDesk.</source>
        <translation>لا يضم الملف موجِّهات من ChatDesk.</translation>
    </message>
    <message>
        <source>The file contains no list of prompts, or more than {most_prompts}.</source>
        <translation>لا يضم الملف قائمة موجِّهات، أو يضم أكثر من {most_prompts}.</translation>
    </message>
    <message>
        <source>The file was written by a newer ChatDesk.</source>
        <translation>كُتب الملف بإصدار أحدث من ChatDesk.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file is not one: it needs a kind, a name and a text that is not too long.</source>
        <translation>الموجِّه {number} في الملف ليس موجِّهًا: يحتاج إلى نوع واسم ونص غير مفرط الطول.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file has no list of files, or too many.</source>
        <translation>الموجِّه {number} في الملف بلا قائمة ملفات، أو ملفاته أكثر مما ينبغي.</translation>
    </message>
    <message>
        <source>A file of prompt {number} in the file cannot be read.</source>
        <translation>لا تمكن قراءة أحد ملفات الموجِّه {number} في الملف.</translation>
    </message>
    <message>
        <source>Nothing was added.</source>
        <translation>لم يُضَف شيء.</translation>
    </message>
    <message>
        <source>Choose a file that was exported from Prompts.</source>
        <translation>اختر ملفًا صُدِّر من الموجِّهات.</translation>
    </message>
    <message>
        <source>A prompt needs a text.</source>
        <translation>يحتاج الموجِّه إلى نص.</translation>
    </message>
    <message>
        <source>Type what it is to say, or delete it.</source>
        <translation>اكتب ما يجب أن يقوله، أو احذفه.</translation>
    </message>
    <message>
        <source>The prompt has {text} characters; the most is {longest_text}.</source>
        <translation>في الموجِّه {text} من الحروف؛ والحد الأقصى {longest_text}.</translation>
    </message>
    <message>
        <source>Shorten it, or keep the text in a file and attach that.</source>
        <translation>اختصره، أو احفظ النص في ملف وأرفقه.</translation>
    </message>
    <message>
        <source>Your limit of messages is reached.</source>
        <translation>بُلغ حدّك من الرسائل.</translation>
    </message>
    <message>
        <source>Your limit of messages to this provider is reached.</source>
        <translation>بُلغ حدّك من الرسائل إلى هذا المزوّد.</translation>
    </message>
    <message>
        <source>Your limit of messages in this project is reached.</source>
        <translation>بُلغ حدّك من الرسائل في هذا المشروع.</translation>
    </message>
    <message>
        <source>The provider takes no more requests for now.</source>
        <translation>لا يقبل المزوّد مزيدًا من الطلبات الآن.</translation>
    </message>
    <message>
        <source>Ask again later.</source>
        <translation>اسأل من جديد لاحقًا.</translation>
    </message>
    <message>
        <source>This message is no longer waiting.</source>
        <translation>لم تعد هذه الرسالة تنتظر.</translation>
    </message>
    <message>
        <source>Between 2 and {most_in_thread} models can be compared.</source>
        <translation>تمكن المقارنة بين ٢ و{most_in_thread} من النماذج.</translation>
    </message>
    <message>
        <source>Only questions can be edited here.</source>
        <translation>لا يمكن هنا سوى تحرير الأسئلة.</translation>
    </message>
    <message>
        <source>Regenerate the answer instead.</source>
        <translation>أعد توليد الإجابة بدلًا من ذلك.</translation>
    </message>
    <message>
        <source>There is no question to answer here.</source>
        <translation>لا يوجد سؤال لإجابته هنا.</translation>
    </message>
    <message>
        <source>This answer is already complete.</source>
        <translation>هذه الإجابة مكتملة بالفعل.</translation>
    </message>
    <message>
        <source>Regenerate it for another version.</source>
        <translation>أعد توليدها للحصول على نسخة أخرى.</translation>
    </message>
    <message>
        <source>The system prompt has {text} characters; the most is {longest_text}.</source>
        <translation>في موجِّه النظام {text} من الحروف؛ والحد الأقصى {longest_text}.</translation>
    </message>
    <message>
        <source>Shorten it.</source>
        <translation>اختصره.</translation>
    </message>
    <message>
        <source>There is a temporary chat already.</source>
        <translation>توجد دردشة مؤقتة بالفعل.</translation>
    </message>
    <message>
        <source>Keep it or close it first.</source>
        <translation>احتفظ بها أو أغلقها أولًا.</translation>
    </message>
    <message>
        <source>There is no temporary chat.</source>
        <translation>لا توجد دردشة مؤقتة.</translation>
    </message>
    <message>
        <source>This chat was just kept.</source>
        <translation>حُفظت هذه الدردشة للتو.</translation>
    </message>
    <message>
        <source>What you wrote is still there.</source>
        <translation>ما كتبته ما زال موجودًا.</translation>
    </message>
    <message>
        <source>An answer is still being written, so this chat was not kept yet.</source>
        <translation>ما زالت إجابة قيد الكتابة، لذا لم تُحفظ هذه الدردشة بعد.</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it, and keep the chat then.</source>
        <translation>انتظر نهايتها أو أوقفها، ثم احتفظ بالدردشة.</translation>
    </message>
    <message>
        <source>The tool does not take these arguments.</source>
        <translation>لا تقبل الأداة هذه المعطيات.</translation>
    </message>
    <message>
        <source>Nothing was run.</source>
        <translation>لم يُشغَّل شيء.</translation>
    </message>
    <message>
        <source>Change them, or deny the call.</source>
        <translation>غيّرها، أو ارفض الاستدعاء.</translation>
    </message>
    <message>
        <source>This call is no longer waiting for an answer.</source>
        <translation>لم يعد هذا الاستدعاء ينتظر إجابة.</translation>
    </message>
    <message>
        <source>The server is no longer waiting for this.</source>
        <translation>لم يعد الخادم ينتظر هذا.</translation>
    </message>
    <message>
        <source>This answer is not offered for this call.</source>
        <translation>هذه الإجابة غير متاحة لهذا الاستدعاء.</translation>
    </message>
    <message>
        <source>“{name}” is missing.</source>
        <translation>«{name}» مفقود.</translation>
    </message>
    <message>
        <source>There is no “{name}”.</source>
        <translation>لا يوجد «{name}».</translation>
    </message>
    <message>
        <source>“{name}” is not of the type {map}.</source>
        <translation>«{name}» ليس من النوع {map}.</translation>
    </message>
    <message>
        <source>The person did not allow this call. Do not try it again in another way; go on without it, or ask them.</source>
        <translation>لم يسمح الشخص بهذا الاستدعاء. لا تحاوله مرة أخرى بطريقة أخرى؛ تابع من دونه، أو اسأله.</translation>
    </message>
    <message>
        <source>There is no tool with this name.</source>
        <translation>لا توجد أداة بهذا الاسم.</translation>
    </message>
    <message>
        <source>The arguments are not valid JSON, so the tool was not run. Write them again.</source>
        <translation>المعطيات ليست JSON صالحًا، لذا لم تُشغَّل الأداة. اكتبها من جديد.</translation>
    </message>
    <message>
        <source>No arguments came with this call, so the tool was not run. Write them again.</source>
        <translation>لم تأتِ معطيات مع هذا الاستدعاء، لذا لم تُشغَّل الأداة. اكتبها من جديد.</translation>
    </message>
    <message>
        <source>The answer was cut off while this call was written, so the tool was not run.</source>
        <translation>انقطعت الإجابة أثناء كتابة هذا الاستدعاء، لذا لم تُشغَّل الأداة.</translation>
    </message>
    <message>
        <source>The limit of this answer was reached, so the tool was not run.</source>
        <translation>بُلغ حدّ هذه الإجابة، لذا لم تُشغَّل الأداة.</translation>
    </message>
    <message>
        <source>Too many tools were called at once, so this one was not run. Call fewer.</source>
        <translation>استُدعيت أدوات كثيرة معًا، لذا لم تُشغَّل هذه. استدعِ عددًا أقل.</translation>
    </message>
    <message>
        <source>“{tool}” is left out of this answer: {provider} refuses its description.</source>
        <translation>استُبعدت «{tool}» من هذه الإجابة: يرفض {provider} وصفها.</translation>
    </message>
    <message>
        <source>No further tools can be called for this answer. Answer with what you have.</source>
        <translation>لا يمكن استدعاء مزيد من الأدوات لهذه الإجابة. أجب بما لديك.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its arguments are described in a form that no request can have.</source>
        <translation>استُبعدت «{tool}»: وُصفت معاملاتها بصيغة لا يقبلها أي طلب.</translation>
    </message>
    <message>
        <source>Something unexpected happened in ChatDesk while this tool ran. Nobody knows what it did.</source>
        <translation>حدث أمر غير متوقع في ChatDesk أثناء عمل هذه الأداة. لا أحد يعلم ما فعلته.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran, so nobody knows what it did. The person does not want it to be run again.</source>
        <translation>انتهى ChatDesk أثناء عمل هذه، فلا أحد يعلم ما فعلته. ولا يريد الشخص تشغيلها مرة أخرى.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran. It may have done its work already.</source>
        <translation>انتهى ChatDesk أثناء عمل هذه. ربما أنجزت عملها بالفعل.</translation>
    </message>
    <message>
        <source>This thread has text from outside, such as a tool&apos;s result, a file, an import or a teammate&apos;s words, which may have asked for this.</source>
        <translation>في هذه المحادثة نص من الخارج، مثل نتيجة أداة أو ملف أو استيراد أو كلمات زميل في الفريق، وربما هو الذي طلب هذا.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools can be called: about {tokens} tokens with each request.</source>
        <comment>{count} tool can be called: about {tokens} tokens with each request.</comment>
        <translation>
            <numerusform>لا أدوات يمكن استدعاؤها: نحو {tokens} من الرموز مع كل طلب.</numerusform>
            <numerusform>يمكن استدعاء أداة واحدة: نحو {tokens} من الرموز مع كل طلب.</numerusform>
            <numerusform>يمكن استدعاء أداتين: نحو {tokens} من الرموز مع كل طلب.</numerusform>
            <numerusform>يمكن استدعاء {count} أدوات: نحو {tokens} من الرموز مع كل طلب.</numerusform>
            <numerusform>يمكن استدعاء {count} أداة: نحو {tokens} من الرموز مع كل طلب.</numerusform>
            <numerusform>يمكن استدعاء {count} أداة: نحو {tokens} من الرموز مع كل طلب.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{words} {count} tool servers not started yet.</source>
        <comment>{words} {count} tool server not started yet.</comment>
        <translation>
            <numerusform>{words} لا خوادم أدوات لم تُشغَّل بعد.</numerusform>
            <numerusform>{words} خادم أدوات واحد لم يُشغَّل بعد.</numerusform>
            <numerusform>{words} خادما أدوات لم يُشغَّلا بعد.</numerusform>
            <numerusform>{words} {count} خوادم أدوات لم تُشغَّل بعد.</numerusform>
            <numerusform>{words} {count} خادم أدوات لم يُشغَّل بعد.</numerusform>
            <numerusform>{words} {count} خادم أدوات لم يُشغَّل بعد.</numerusform>
        </translation>
    </message>
    <message>
        <source>pin into the context</source>
        <translation>تثبيت في السياق</translation>
    </message>
    <message>
        <source>exclude from the context</source>
        <translation>استبعاد من السياق</translation>
    </message>
    <message>
        <source>unpin from the context</source>
        <translation>إلغاء التثبيت في السياق</translation>
    </message>
    <message>
        <source>include in the context</source>
        <translation>تضمين في السياق</translation>
    </message>
    <message>
        <source>pin the passage</source>
        <translation>تثبيت المقطع</translation>
    </message>
    <message>
        <source>leave out the passage</source>
        <translation>استبعاد المقطع</translation>
    </message>
    <message>
        <source>unpin the passage</source>
        <translation>إلغاء تثبيت المقطع</translation>
    </message>
    <message>
        <source>no longer leave out the passage</source>
        <translation>إلغاء استبعاد المقطع</translation>
    </message>
    <message>
        <source>rename thread</source>
        <translation>إعادة تسمية المحادثة</translation>
    </message>
    <message numerus="yes">
        <source>delete messages</source>
        <comment>delete message</comment>
        <translation>
            <numerusform>حذف لا رسائل</numerusform>
            <numerusform>حذف رسالة</numerusform>
            <numerusform>حذف رسالتين</numerusform>
            <numerusform>حذف {count} رسائل</numerusform>
            <numerusform>حذف {count} رسالة</numerusform>
            <numerusform>حذف {count} رسالة</numerusform>
        </translation>
    </message>
    <message>
        <source>restore message</source>
        <translation>استعادة الرسالة</translation>
    </message>
    <message>
        <source>switch version</source>
        <translation>تبديل النسخة</translation>
    </message>
    <message>
        <source>edit</source>
        <translation>تحرير</translation>
    </message>
    <message>
        <source>start of the context</source>
        <translation>بداية السياق</translation>
    </message>
    <message>
        <source>add note</source>
        <translation>إضافة ملاحظة</translation>
    </message>
    <message>
        <source>ask a question</source>
        <translation>طرح سؤال</translation>
    </message>
    <message>
        <source>ask for an answer</source>
        <translation>طلب إجابة</translation>
    </message>
    <message>
        <source>The message has about {scaled} tokens; the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>في الرسالة نحو {scaled} من الرموز؛ ويقرأ النموذج {window} دفعة واحدة، منها {reserved} محفوظة للإجابة.</translation>
    </message>
    <message>
        <source>The system prompt has about {scaled} tokens and leaves no room for the message: the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>في موجِّه النظام نحو {scaled} من الرموز، ولا يترك مكانًا للرسالة: يقرأ النموذج {window} دفعة واحدة، منها {reserved} محفوظة للإجابة.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while it summarised.</source>
        <translation>أخطأ ChatDesk أثناء التلخيص.</translation>
    </message>
    <message>
        <source>The report could not be written to {target}: {reason}.</source>
        <translation>تعذّرت كتابة التقرير في {target}: {reason}.</translation>
    </message>
    <message>
        <source>Nothing half-written was left.</source>
        <translation>لم يبقَ شيء مكتوب جزئيًا.</translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly.</source>
        <translation>انتهى ChatDesk على نحو غير متوقع.</translation>
    </message>
    <message>
        <source>note</source>
        <comment>finding</comment>
        <translation>تنبيه</translation>
    </message>
    <message>
        <source>problem</source>
        <translation>مشكلة</translation>
    </message>
    <message>
        <source>No answer within {timeout_s} s.</source>
        <translation>لا إجابة خلال {timeout_s} ث.</translation>
    </message>
    <message>
        <source>The check itself failed ({name}).</source>
        <translation>فشل الفحص نفسه ({name}).</translation>
    </message>
    <message>
        <source>versions</source>
        <translation>الإصدارات</translation>
    </message>
    <message>
        <source>ChatDesk {version}, Python {python}</source>
        <translation>ChatDesk {version}، ‏Python {python}</translation>
    </message>
    <message>
        <source>data directory</source>
        <translation>دليل البيانات</translation>
    </message>
    <message>
        <source>settings directory</source>
        <translation>دليل الإعدادات</translation>
    </message>
    <message>
        <source>logs directory</source>
        <translation>دليل السجلات</translation>
    </message>
    <message>
        <source>backups directory</source>
        <translation>دليل النسخ الاحتياطية</translation>
    </message>
    <message>
        <source>{path} is not a directory.</source>
        <translation>{path} ليس دليلًا.</translation>
    </message>
    <message>
        <source>{path} (made when it is needed)</source>
        <translation>{path} (يُنشأ عند الحاجة)</translation>
    </message>
    <message>
        <source>{path} cannot be written to. Check its owner and permissions.</source>
        <translation>لا تمكن الكتابة في {path}. تحقّق من مالكه وأذوناته.</translation>
    </message>
    <message>
        <source>Others can look into {path}. Run: chmod 700 {path}</source>
        <translation>يمكن للآخرين الاطلاع على {path}. شغّل: chmod 700 {path}</translation>
    </message>
    <message>
        <source>Only {free_bytes} MB are free. Free some space soon.</source>
        <translation>المساحة الحرة {free_bytes} م.ب فقط. أفرغ بعض المساحة قريبًا.</translation>
    </message>
    <message>
        <source>{free_bytes} MB free</source>
        <translation>{free_bytes} م.ب حرة</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>القرص</translation>
    </message>
    <message>
        <source>PySide6 is not installed, so there can be no window.</source>
        <translation>PySide6 غير مثبّت، فلا يمكن فتح نافذة.</translation>
    </message>
    <message>
        <source>display</source>
        <translation>الشاشة</translation>
    </message>
    <message>
        <source>the system&apos;s</source>
        <translation>الخاص بالنظام</translation>
    </message>
    <message>
        <source>No display here: the window runs unseen, the command line works.</source>
        <translation>لا شاشة هنا: تعمل النافذة من دون أن تُرى، ويعمل سطر الأوامر.</translation>
    </message>
    <message numerus="yes">
        <source>Written since, and not in it: {count} messages, in {names}. Export them first to keep them at hand.</source>
        <comment>Written since, and not in it: {count} message, in {names}. Export them first to keep them at hand.</comment>
        <translation>
            <numerusform>لم تُكتب منذ ذلك الحين رسائل غير موجودة فيها، في {names}. صدّرها أولًا لتبقى في متناولك.</numerusform>
            <numerusform>كُتبت منذ ذلك الحين رسالة واحدة غير موجودة فيها، في {names}. صدّرها أولًا لتبقى في متناولك.</numerusform>
            <numerusform>كُتبت منذ ذلك الحين رسالتان غير موجودتين فيها، في {names}. صدّرهما أولًا لتبقيا في متناولك.</numerusform>
            <numerusform>كُتبت منذ ذلك الحين {count} رسائل غير موجودة فيها، في {names}. صدّرها أولًا لتبقى في متناولك.</numerusform>
            <numerusform>كُتبت منذ ذلك الحين {count} رسالة غير موجودة فيها، في {names}. صدّرها أولًا لتبقى في متناولك.</numerusform>
            <numerusform>كُتبت منذ ذلك الحين {count} رسالة غير موجودة فيها، في {names}. صدّرها أولًا لتبقى في متناولك.</numerusform>
        </translation>
    </message>
    <message>
        <source>From an older ChatDesk (schema {schema}); it is upgraded at the next start.</source>
        <translation>من إصدار أقدم من ChatDesk (المخطط {schema})؛ تُرقّى عند بدء التشغيل التالي.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files are neither in it nor in the data directory.</source>
        <comment>{count} attached file is neither in it nor in the data directory.</comment>
        <translation>
            <numerusform>لا ملفات مرفقة ناقصة.</numerusform>
            <numerusform>ملف مرفق واحد ليس فيها ولا في دليل البيانات.</numerusform>
            <numerusform>ملفان مرفقان ليسا فيها ولا في دليل البيانات.</numerusform>
            <numerusform>{count} ملفات مرفقة ليست فيها ولا في دليل البيانات.</numerusform>
            <numerusform>{count} ملفًا مرفقًا ليست فيها ولا في دليل البيانات.</numerusform>
            <numerusform>{count} ملف مرفق ليست فيها ولا في دليل البيانات.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} answers had not ended: they stay as interrupted, and nothing is sent.</source>
        <comment>{count} answer had not ended: they stay as interrupted, and nothing is sent.</comment>
        <translation>
            <numerusform>لا إجابات غير منتهية.</numerusform>
            <numerusform>إجابة واحدة لم تنتهِ: تبقى مقطوعة، ولا يُرسَل شيء.</numerusform>
            <numerusform>إجابتان لم تنتهيا: تبقيان مقطوعتين، ولا يُرسَل شيء.</numerusform>
            <numerusform>{count} إجابات لم تنتهِ: تبقى مقطوعة، ولا يُرسَل شيء.</numerusform>
            <numerusform>{count} إجابة لم تنتهِ: تبقى مقطوعة، ولا يُرسَل شيء.</numerusform>
            <numerusform>{count} إجابة لم تنتهِ: تبقى مقطوعة، ولا يُرسَل شيء.</numerusform>
        </translation>
    </message>
    <message>
        <source>others</source>
        <translation>غيرها</translation>
    </message>
    <message>
        <source>Teams: {names}. ChatDesk does not connect to them until you join them again.</source>
        <translation>الفرق: {names}. لا يتصل بها ChatDesk إلى أن تنضم إليها من جديد.</translation>
    </message>
    <message>
        <source>Afterwards search fills up again in the background.</source>
        <translation>بعد ذلك يمتلئ البحث من جديد في الخلفية.</translation>
    </message>
    <message>
        <source>Exported {threads} to {name}.</source>
        <translation>صُدِّرت {threads} إلى {name}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names: {lost}</source>
        <comment>{count} attachment is missing or damaged; the export has only its name: {lost}</comment>
        <translation>
            <numerusform>لا مرفقات مفقودة: {lost}</numerusform>
            <numerusform>مرفق واحد مفقود أو تالف، لذا يُذكر اسمه فقط: {lost}</numerusform>
            <numerusform>مرفقان مفقودان أو تالفان، لذا يُذكر اسماهما فقط: {lost}</numerusform>
            <numerusform>{count} مرفقات مفقودة أو تالفة، لذا تُذكر أسماؤها فقط: {lost}</numerusform>
            <numerusform>{count} مرفقًا مفقودة أو تالفة، لذا تُذكر أسماؤها فقط: {lost}</numerusform>
            <numerusform>{count} مرفق مفقودة أو تالفة، لذا تُذكر أسماؤها فقط: {lost}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names</source>
        <comment>{count} attachment is missing or damaged; the export has only its name</comment>
        <translation>
            <numerusform>لا مرفقات مفقودة</numerusform>
            <numerusform>مرفق واحد مفقود أو تالف، لذا يُذكر اسمه فقط</numerusform>
            <numerusform>مرفقان مفقودان أو تالفان، لذا يُذكر اسماهما فقط</numerusform>
            <numerusform>{count} مرفقات مفقودة أو تالفة، لذا تُذكر أسماؤها فقط</numerusform>
            <numerusform>{count} مرفقًا مفقودة أو تالفة، لذا تُذكر أسماؤها فقط</numerusform>
            <numerusform>{count} مرفق مفقودة أو تالفة، لذا تُذكر أسماؤها فقط</numerusform>
        </translation>
    </message>
    <message>
        <source>new</source>
        <comment>thread</comment>
        <translation>جديدة</translation>
    </message>
    <message>
        <source>has new messages</source>
        <translation>فيها رسائل جديدة</translation>
    </message>
    <message>
        <source>here already</source>
        <translation>موجود هنا بالفعل</translation>
    </message>
    <message>
        <source>in the trash</source>
        <translation>في سلة المهملات</translation>
    </message>
    <message>
        <source>deleted before</source>
        <translation>حُذف من قبل</translation>
    </message>
    <message>
        <source>{server} without a proxy</source>
        <translation>{server} بلا وكيل</translation>
    </message>
    <message>
        <source>{server} through the proxy {proxy}</source>
        <translation>{server} عبر الوكيل {proxy}</translation>
    </message>
    <message>
        <source>{server}, trusting a file of certificates ({ca}…)</source>
        <translation>{server}، مع الثقة بملف شهادات ({ca}…)</translation>
    </message>
    <message>
        <source>Send the key of {short} to {server}?</source>
        <translation>هل تريد إرسال مفتاح {short} إلى {server}؟</translation>
    </message>
    <message>
        <source>The variable {variable} names the server of {label}, {server}. Only a key from a variable is sent there, never one that is kept.</source>
        <translation>المتغيّر {variable} يذكر خادم {label}، وهو {server}. لا يُرسَل إليه سوى مفتاح من متغيّر، لا مفتاح محفوظ أبدًا.</translation>
    </message>
    <message>
        <source>The key of {label} would travel unencrypted to {words}: anybody on the way could read it.</source>
        <translation>سينتقل مفتاح {label} بلا تشفير إلى {words}: يمكن لأي أحد في الطريق قراءته.</translation>
    </message>
    <message>
        <source>The key of {label} was kept by an earlier ChatDesk, which did not note the server that it is for. It would be sent to {words}.</source>
        <translation>حفظ إصدار سابق من ChatDesk مفتاح {label} من دون تسجيل الخادم المخصص له. وسيُرسَل إلى {words}.</translation>
    </message>
    <message>
        <source>The key of {label} was given for {words}. It would be sent to {wanted}.</source>
        <translation>أُعطي مفتاح {label} من أجل {words}. وسيُرسَل إلى {wanted}.</translation>
    </message>
    <message>
        <source>It would travel unencrypted.</source>
        <translation>سينتقل بلا تشفير.</translation>
    </message>
    <message>
        <source>Put the key for that server into OPENAI_API_KEY, or remove the variable.</source>
        <translation>ضع مفتاح ذلك الخادم في OPENAI_API_KEY، أو أزل المتغيّر.</translation>
    </message>
    <message>
        <source>If that is what you want, agree in Settings, Providers, or with &apos;chatdesk providers --agree {provider}&apos;.</source>
        <translation>إن كان هذا ما تريده، فوافق في الإعدادات، المزوّدون، أو باستخدام &apos;chatdesk providers --agree {provider}&apos;.</translation>
    </message>
    <message>
        <source>Agree, or enter the key again.</source>
        <translation>وافق، أو أدخل المفتاح من جديد.</translation>
    </message>
    <message>
        <source>it must look like 20/min, with s, min, h or day after the stroke</source>
        <translation>يجب أن يكون بصيغة 20/min، مع s أو min أو h أو day بعد الشرطة</translation>
    </message>
    <message>
        <source>“{unit}” is no period; use s, min, h or day</source>
        <translation>«{unit}» ليست مدة؛ استخدم s أو min أو h أو day</translation>
    </message>
    <message>
        <source>the number of messages must be from 1 to {most_messages}</source>
        <translation>يجب أن يكون عدد الرسائل من ١ إلى {most_messages}</translation>
    </message>
    <message>
        <source>the period must be from a second to 30 days</source>
        <translation>يجب أن تكون المدة من ثانية إلى ٣٠ يومًا</translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens</source>
        <comment>{count} token</comment>
        <translation>
            <numerusform>لا رموز</numerusform>
            <numerusform>رمز واحد</numerusform>
            <numerusform>رمزان</numerusform>
            <numerusform>{count} رموز</numerusform>
            <numerusform>{count} رمزًا</numerusform>
            <numerusform>{count} رمز</numerusform>
        </translation>
    </message>
    <message>
        <source>a day</source>
        <translation>يوم</translation>
    </message>
    <message>
        <source>a month</source>
        <translation>شهر</translation>
    </message>
    <message>
        <source>{period} for {label}</source>
        <translation>{period} لـ {label}</translation>
    </message>
    <message>
        <source>Your messages are kept, and the newest ones are sent as they fit.</source>
        <translation>رسائلك محفوظة، وتُرسَل أحدثها بقدر ما يتسع المكان.</translation>
    </message>
    <message>
        <source>Summaries and titles are made again tomorrow; the limit is in Settings, Context.</source>
        <translation>تُنشأ الملخّصات والعناوين من جديد غدًا؛ والحدّ في الإعدادات، السياق.</translation>
    </message>
    <message>
        <source>Today&apos;s limit of {limit} tokens for summaries and titles is reached ({spent} are used).</source>
        <translation>بُلغ حدّ اليوم للملخّصات والعناوين، وهو {limit} من الرموز (استُخدم {spent}).</translation>
    </message>
    <message>
        <source>Titles and summaries stop at {limit} ({spent} are used).</source>
        <translation>تتوقف العناوين والملخّصات عند {limit} (استُخدم {spent}).</translation>
    </message>
    <message>
        <source>They are made again when the limit starts again; it is in Settings, Usage and limits.</source>
        <translation>تُنشأ من جديد عندما يبدأ الحدّ من جديد؛ وهو في الإعدادات، الاستخدام والحدود.</translation>
    </message>
    <message>
        <source>Your question is kept.</source>
        <translation>سؤالك محفوظ.</translation>
    </message>
    <message>
        <source>waiting for an answer</source>
        <translation>بانتظار إجابة</translation>
    </message>
    <message>
        <source>This answer has not begun.</source>
        <translation>لم تبدأ هذه الإجابة بعد.</translation>
    </message>
    <message>
        <source>This answer is still being written.</source>
        <translation>لا تزال هذه الإجابة قيد الكتابة.</translation>
    </message>
    <message>
        <source>This answer was stopped.</source>
        <translation>أُوقفت هذه الإجابة.</translation>
    </message>
    <message>
        <source>This answer was interrupted.</source>
        <translation>قُطعت هذه الإجابة.</translation>
    </message>
    <message>
        <source>This answer failed.</source>
        <translation>فشلت هذه الإجابة.</translation>
    </message>
    <message>
        <source>A part of this message is damaged. What can be read of it is shown; a backup may have it whole.</source>
        <translation>جزء من هذه الرسالة تالف. يُعرض ما يمكن قراءته منها؛ وقد تكون كاملة في نسخة احتياطية.</translation>
    </message>
    <message>
        <source>being written</source>
        <translation>قيد الكتابة</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>موقوفة</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>مقطوعة</translation>
    </message>
    <message>
        <source>{name} must be a number.</source>
        <translation>يجب أن يكون {name} رقمًا.</translation>
    </message>
    <message>
        <source>{name} must be between 0 and {most}.</source>
        <translation>يجب أن يكون {name} بين ٠ و{most}.</translation>
    </message>
    <message>
        <source>The length of an answer must be between 1 and {largest_answer} tokens.</source>
        <translation>يجب أن يكون طول الإجابة بين ١ و{largest_answer} من الرموز.</translation>
    </message>
    <message>
        <source>The reasoning effort must be one of {reasoning_efforts}.</source>
        <translation>يجب أن يكون جهد التفكير أحد هذه: {reasoning_efforts}.</translation>
    </message>
    <message>
        <source>There may be at most {most_stop_words} stop words.</source>
        <translation>عدد كلمات التوقف {most_stop_words} على الأكثر.</translation>
    </message>
    <message>
        <source>A stop word has 1 to {longest_stop_word} characters.</source>
        <translation>طول كلمة التوقف من ١ إلى {longest_stop_word} من الحروف.</translation>
    </message>
    <message>
        <source>The temperature</source>
        <translation>درجة الحرارة</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>An assistant has at most {most_in_message} files.</source>
        <translation>للمساعد {most_in_message} من الملفات على الأكثر.</translation>
    </message>
    <message>
        <source>Leave some of them out.</source>
        <translation>اترك بعضها.</translation>
    </message>
    <message>
        <source>The provider&apos;s id may have small letters, digits and hyphens only.</source>
        <translation>لا يجوز أن يضم معرّف المزوّد إلا حروفًا لاتينية صغيرة وأرقامًا وشرطات.</translation>
    </message>
    <message>
        <source>Give the provider a name.</source>
        <translation>أعطِ المزوّد اسمًا.</translation>
    </message>
    <message>
        <source>The address must begin with https:// or http://, name a server and hold no password.</source>
        <translation>يجب أن يبدأ العنوان بـ https://‎ أو http://‎ وأن يذكر خادمًا وألا يحتوي على كلمة مرور.</translation>
    </message>
    <message>
        <source>“{name}” is not the name of a header.</source>
        <translation>«{name}» ليس اسم ترويسة.</translation>
    </message>
    <message>
        <source>The value of the header {name} contains characters that cannot be sent.</source>
        <translation>في قيمة الترويسة {name} حروف لا يمكن إرسالها.</translation>
    </message>
    <message>
        <source>The proxy must be an address such as http://proxy.example:3128, without a password. One that wants a password is set with the variable HTTPS_PROXY.</source>
        <translation>يجب أن يكون الوكيل عنوانًا مثل http://proxy.example:3128 بلا كلمة مرور. والوكيل الذي يطلب كلمة مرور يُعيَّن بالمتغيّر HTTPS_PROXY.</translation>
    </message>
    <message>
        <source>The organisation and the project hold characters that cannot be sent.</source>
        <translation>في المؤسسة والمشروع حروف لا يمكن إرسالها.</translation>
    </message>
    <message>
        <source>Times must be between 1 and 3,600 seconds.</source>
        <translation>يجب أن تكون الأوقات بين ١ و٣٬٦٠٠ ثانية.</translation>
    </message>
    <message>
        <source>Nothing was sent; your text stays where it is.</source>
        <translation>لم يُرسَل شيء؛ نصك باقٍ في مكانه.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. You asked {before} here until now; your question, and the thread with it, would go to {label}.</source>
        <translation>اختار {name} النموذج {label} لهذه المحادثة. كنت تسأل {before} هنا حتى الآن؛ وسيذهب سؤالك، ومعه المحادثة، إلى {label}.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. Your own choice is {before}; your question, and the thread with it, would go to {label}.</source>
        <translation>اختار {name} النموذج {label} لهذه المحادثة. اختيارك أنت هو {before}؛ وسيذهب سؤالك، ومعه المحادثة، إلى {label}.</translation>
    </message>
    <message>
        <source>Choose a model yourself, or name the provider: --provider {name}.</source>
        <translation>اختر نموذجًا بنفسك، أو اذكر المزوّد: ‎--provider {name}.</translation>
    </message>
    <message>
        <source>Ask {label}?</source>
        <translation>هل تريد سؤال {label}؟</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are missing on the team&apos;s server.</source>
        <translation>منذ {since} تنقص تغييرات «{project}» على خادم الفريق.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server has other changes of “{project}” than it took.</source>
        <translation>منذ {since} لدى خادم الفريق تغييرات لـ «{project}» غير التي قبلها.</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are emptied on the team&apos;s server, and nobody asked for that.</source>
        <translation>منذ {since} أُفرغت تغييرات «{project}» على خادم الفريق، ولم يطلب أحد ذلك.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server does not send all changes of “{project}” that it has.</source>
        <translation>منذ {since} لا يرسل خادم الفريق كل ما لديه من تغييرات «{project}».</translation>
    </message>
    <message>
        <source>It is no longer shared.</source>
        <translation>لم يعد مشتركًا.</translation>
    </message>
    <message>
        <source>You left it.</source>
        <translation>غادرته.</translation>
    </message>
    <message>
        <source>You were removed from it.</source>
        <translation>أُزلت منه.</translation>
    </message>
    <message>
        <source>It was deleted from the team by its owner.</source>
        <translation>حذفه مالكه من الفريق.</translation>
    </message>
    <message>
        <source>It was erased for everybody by its owner.</source>
        <translation>محاه مالكه عند الجميع.</translation>
    </message>
    <message>
        <source>“{name}” is no longer shared.</source>
        <translation>لم يعد «{name}» مشتركًا.</translation>
    </message>
    <message>
        <source>You left “{name}”.</source>
        <translation>غادرت «{name}».</translation>
    </message>
    <message>
        <source>You were removed from “{name}”.</source>
        <translation>أُزلت من «{name}».</translation>
    </message>
    <message>
        <source>“{name}” was deleted from the team by its owner.</source>
        <translation>حذف المالك «{name}» من الفريق.</translation>
    </message>
    <message>
        <source>“{name}” was erased for everybody by its owner.</source>
        <translation>محا المالك «{name}» عند الجميع.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here to be sent.</source>
        <comment>{count} change waits here to be sent.</comment>
        <translation>
            <numerusform>لا تغييرات تنتظر إرسالها هنا.</numerusform>
            <numerusform>ينتظر هنا تغيير واحد لإرساله.</numerusform>
            <numerusform>ينتظر هنا تغييران لإرسالهما.</numerusform>
            <numerusform>تنتظر هنا {count} تغييرات لإرسالها.</numerusform>
            <numerusform>ينتظر هنا {count} تغييرًا لإرسالها.</numerusform>
            <numerusform>ينتظر هنا {count} تغيير لإرسالها.</numerusform>
        </translation>
    </message>
    <message>
        <source>Waiting for approval</source>
        <translation>بانتظار الموافقة</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>قيد التشغيل</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>تم</translation>
    </message>
    <message>
        <source>Denied</source>
        <translation>مرفوض</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>فشل</translation>
    </message>
    <message>
        <source>Unknown: ChatDesk ended while it ran</source>
        <translation>غير معروف: انتهى ChatDesk أثناء عملها</translation>
    </message>
    <message>
        <source>It asks you to sign in: choose Sign in in Settings, Tools.</source>
        <translation>يطلب منك تسجيل الدخول: اختر تسجيل الدخول في الإعدادات، الأدوات.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its description is not what the protocol allows.</source>
        <translation>استُبعدت «{tool}»: وصفها لا يوافق البروتوكول.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its name or its description is too long.</source>
        <translation>استُبعدت «{tool}»: اسمها أو وصفها طويل جدًا.</translation>
    </message>
    <message>
        <source>“{tool}” is listed twice; the second one is left out.</source>
        <translation>«{tool}» مدرجة مرتين؛ استُبعدت الثانية.</translation>
    </message>
    <message>
        <source>Not all of its tools are offered: it lists too many.</source>
        <translation>لا تُعرض كل أدواته: يسرد عددًا أكبر مما ينبغي.</translation>
    </message>
    <message>
        <source>Its list may be incomplete: it names the same page again and again.</source>
        <translation>قد تكون قائمته ناقصة: يشير إلى الصفحة نفسها مرارًا.</translation>
    </message>
    <message>
        <source>The tool failed.</source>
        <translation>فشلت الأداة.</translation>
    </message>
    <message>
        <source>Your messages are kept.</source>
        <translation>رسائلك محفوظة.</translation>
    </message>
    <message>
        <source>Try again, or test the server in Settings, Tools.</source>
        <translation>أعد المحاولة، أو اختبر الخادم في الإعدادات، الأدوات.</translation>
    </message>
    <message>
        <source>Type a number of tokens, such as 32000 or 128k.</source>
        <translation>اكتب عددًا من الرموز، مثل 32000 أو 128k.</translation>
    </message>
    <message>
        <source>The context is between {smallest_window} and {largest_window} tokens.</source>
        <translation>السياق بين {smallest_window} و{largest_window} من الرموز.</translation>
    </message>
    <message>
        <source>Type dollars for a million tokens, such as 0.25.</source>
        <translation>اكتب الدولارات لكل مليون رمز، مثل 0.25.</translation>
    </message>
    <message>
        <source>Something went wrong.</source>
        <translation>حدث خطأ ما.</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>أعد المحاولة.</translation>
    </message>
    <message>
        <source>That is not a valid id.</source>
        <translation>ليس هذا معرّفًا صالحًا.</translation>
    </message>
    <message>
        <source>Check the id; it looks like 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</source>
        <translation>تحقّق من المعرّف؛ فهو يبدو مثل 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</translation>
    </message>
    <message>
        <source>The message is empty.</source>
        <translation>الرسالة فارغة.</translation>
    </message>
    <message>
        <source>Type something first.</source>
        <translation>اكتب شيئًا أولًا.</translation>
    </message>
    <message>
        <source>The message is larger than the limit.</source>
        <translation>الرسالة أكبر من الحدّ.</translation>
    </message>
    <message>
        <source>Your text is kept in the composer.</source>
        <translation>نصك محفوظ في محرِّر الرسالة.</translation>
    </message>
    <message>
        <source>Shorten it, or attach it as a file.</source>
        <translation>اختصرها، أو أرفقها ملفًا.</translation>
    </message>
    <message>
        <source>The file is larger than the limit.</source>
        <translation>الملف أكبر من الحدّ.</translation>
    </message>
    <message>
        <source>Attach a smaller file or a part of it, or raise the limit in the settings.</source>
        <translation>أرفق ملفًا أصغر أو جزءًا منه، أو ارفع الحدّ في الإعدادات.</translation>
    </message>
    <message>
        <source>“{name}” is larger than {limit}.</source>
        <translation>«{name}» أكبر من {limit}.</translation>
    </message>
    <message>
        <source>The file is larger than {limit}.</source>
        <translation>الملف أكبر من {limit}.</translation>
    </message>
    <message>
        <source>The file cannot be attached.</source>
        <translation>لا يمكن إرفاق الملف.</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>اختر ملفًا آخر.</translation>
    </message>
    <message>
        <source>This file cannot be imported.</source>
        <translation>لا يمكن استيراد هذا الملف.</translation>
    </message>
    <message>
        <source>A thread needs a title.</source>
        <translation>تحتاج المحادثة إلى عنوان.</translation>
    </message>
    <message>
        <source>The old title is kept.</source>
        <translation>العنوان القديم محفوظ.</translation>
    </message>
    <message>
        <source>Type at least one character.</source>
        <translation>اكتب حرفًا واحدًا على الأقل.</translation>
    </message>
    <message>
        <source>It may have been deleted for good; look in the list.</source>
        <translation>ربما حُذف نهائيًا؛ انظر في القائمة.</translation>
    </message>
    <message>
        <source>There is no thread with that id.</source>
        <translation>لا توجد محادثة بهذا المعرّف.</translation>
    </message>
    <message>
        <source>There is no message with that id.</source>
        <translation>لا توجد رسالة بهذا المعرّف.</translation>
    </message>
    <message>
        <source>The message to answer to does not exist in this thread.</source>
        <translation>الرسالة التي يُجاب عنها غير موجودة في هذه المحادثة.</translation>
    </message>
    <message>
        <source>There is no project with that id.</source>
        <translation>لا يوجد مشروع بهذا المعرّف.</translation>
    </message>
    <message>
        <source>There is no summary with that id.</source>
        <translation>لا يوجد ملخّص بهذا المعرّف.</translation>
    </message>
    <message>
        <source>There is no prompt with that id.</source>
        <translation>لا يوجد موجِّه بهذا المعرّف.</translation>
    </message>
    <message>
        <source>The message is larger than what the model can read at once.</source>
        <translation>الرسالة أكبر مما يمكن للنموذج قراءته دفعة واحدة.</translation>
    </message>
    <message>
        <source>Shorten it, attach it as a file, or choose a model with a larger window.</source>
        <translation>اختصرها، أو أرفقها ملفًا، أو اختر نموذجًا بنافذة أكبر.</translation>
    </message>
    <message>
        <source>The system prompt leaves no room for the message.</source>
        <translation>لا يترك موجِّه النظام مكانًا للرسالة.</translation>
    </message>
    <message>
        <source>Shorten the system prompt, or choose a model with a larger window.</source>
        <translation>اختصر موجِّه النظام، أو اختر نموذجًا بنافذة أكبر.</translation>
    </message>
    <message>
        <source>The question is excluded from the context, so there is nothing to answer.</source>
        <translation>السؤال مستبعد من السياق، فلا شيء يُجاب عنه.</translation>
    </message>
    <message>
        <source>Take it back into the context, or ask again.</source>
        <translation>أعده إلى السياق، أو اسأل من جديد.</translation>
    </message>
    <message>
        <source>Some messages of this summary are gone or no longer shown.</source>
        <translation>بعض رسائل هذا الملخّص لم تعد موجودة أو لم تعد معروضة.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the remaining messages as fit are sent.</source>
        <translation>لم يتغيّر شيء؛ وتُرسَل الرسائل الموجودة بقدر ما يتسع المكان.</translation>
    </message>
    <message>
        <source>Create the summary again.</source>
        <translation>أنشئ الملخّص من جديد.</translation>
    </message>
    <message>
        <source>The model gave no summary that can be used.</source>
        <translation>لم يعطِ النموذج ملخّصًا صالحًا للاستخدام.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the newest messages as fit are sent.</source>
        <translation>لم يتغيّر شيء؛ وتُرسَل أحدث الرسائل بقدر ما يتسع المكان.</translation>
    </message>
    <message>
        <source>ChatDesk tries again later.</source>
        <translation>يعيد ChatDesk المحاولة لاحقًا.</translation>
    </message>
    <message>
        <source>Summarising this thread would cost more than the limit.</source>
        <translation>سيكلّف تلخيص هذه المحادثة أكثر من الحدّ.</translation>
    </message>
    <message>
        <source>No summary was asked for; as many of the newest messages as fit are sent instead.</source>
        <translation>لم يُطلب ملخّص؛ وتُرسَل بدلًا منه أحدث الرسائل بقدر ما يتسع المكان.</translation>
    </message>
    <message>
        <source>Allow it, or leave the thread as it is; the limit is in Settings, Usage and limits.</source>
        <translation>اسمح به، أو اترك المحادثة كما هي؛ والحدّ في الإعدادات، الاستخدام والحدود.</translation>
    </message>
    <message>
        <source>This thread is in the trash.</source>
        <translation>هذه المحادثة في سلة المهملات.</translation>
    </message>
    <message>
        <source>Restore it first.</source>
        <translation>استعدها أولًا.</translation>
    </message>
    <message>
        <source>This message is in the trash.</source>
        <translation>هذه الرسالة في سلة المهملات.</translation>
    </message>
    <message>
        <source>An answer is still being written in this thread.</source>
        <translation>ما زالت إجابة قيد الكتابة في هذه المحادثة.</translation>
    </message>
    <message>
        <source>Wait for it or stop it first.</source>
        <translation>انتظرها أو أوقفها أولًا.</translation>
    </message>
    <message>
        <source>The database could not be used.</source>
        <translation>تعذّر استخدام قاعدة البيانات.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor&apos; for details.</source>
        <translation>شغّل &apos;chatdesk doctor&apos; لمعرفة التفاصيل.</translation>
    </message>
    <message>
        <source>The disk is full, so this could not be saved.</source>
        <translation>القرص ممتلئ، لذا تعذّر حفظ هذا.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged, and your text is still in the window.</source>
        <translation>كل ما حُفظ من قبل لم يتغيّر، ونصك ما زال في النافذة.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged.</source>
        <translation>كل ما حُفظ من قبل لم يتغيّر.</translation>
    </message>
    <message>
        <source>Free some space and try again.</source>
        <translation>أفرغ بعض المساحة وأعد المحاولة.</translation>
    </message>
    <message>
        <source>The answer could not be saved.</source>
        <translation>تعذّر حفظ الإجابة.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; of the answer only the beginning may be kept.</source>
        <translation>ما حُفظ من قبل لم يتغيّر؛ وقد لا يُحفظ من الإجابة سوى بدايتها.</translation>
    </message>
    <message>
        <source>Free disk space or correct the permissions so that ChatDesk can save, then ask again.</source>
        <translation>أفرغ بعض المساحة أو صحّح الأذونات ليتمكن ChatDesk من الحفظ، ثم اسأل من جديد.</translation>
    </message>
    <message>
        <source>Another program is using the database.</source>
        <translation>برنامج آخر يستخدم قاعدة البيانات.</translation>
    </message>
    <message>
        <source>Close the other program or try again in a moment.</source>
        <translation>أغلق البرنامج الآخر أو أعد المحاولة بعد لحظة.</translation>
    </message>
    <message>
        <source>The database cannot be written to.</source>
        <translation>لا تمكن الكتابة في قاعدة البيانات.</translation>
    </message>
    <message>
        <source>You can still read everything.</source>
        <translation>ما زال بإمكانك قراءة كل شيء.</translation>
    </message>
    <message>
        <source>Check the permissions of the data directory.</source>
        <translation>تحقّق من أذونات دليل البيانات.</translation>
    </message>
    <message>
        <source>The database file is damaged.</source>
        <translation>ملف قاعدة البيانات تالف.</translation>
    </message>
    <message>
        <source>The file was left as it is; backups are in the backup directory.</source>
        <translation>تُرك الملف كما هو؛ والنسخ الاحتياطية في دليل النسخ الاحتياطية.</translation>
    </message>
    <message>
        <source>Restore the newest backup, or copy out what can be read: &apos;chatdesk doctor --repair&apos;.</source>
        <translation>استعد أحدث نسخة احتياطية، أو انسخ ما يمكن قراءته: &apos;chatdesk doctor --repair&apos;.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;; if that does not help, send the report of &apos;chatdesk doctor&apos;.</source>
        <translation>شغّل &apos;chatdesk doctor --repair&apos;؛ وإن لم ينفع ذلك فأرسل تقرير &apos;chatdesk doctor&apos;.</translation>
    </message>
    <message>
        <source>A database was here before, and now it is missing or empty.</source>
        <translation>كانت هنا قاعدة بيانات من قبل، وهي الآن مفقودة أو فارغة.</translation>
    </message>
    <message>
        <source>Choose the export as its program wrote it.</source>
        <translation>اختر التصدير كما كتبه برنامجه.</translation>
    </message>
    <message>
        <source>Nothing was created in its place.</source>
        <translation>لم يُنشأ شيء مكانها.</translation>
    </message>
    <message>
        <source>Restore the file or a backup; run &apos;chatdesk doctor&apos; for the paths.</source>
        <translation>استعد الملف أو نسخة احتياطية؛ وشغّل &apos;chatdesk doctor&apos; لمعرفة المسارات.</translation>
    </message>
    <message>
        <source>The database file was moved or replaced while ChatDesk was running.</source>
        <translation>نُقل ملف قاعدة البيانات أو استُبدل أثناء عمل ChatDesk.</translation>
    </message>
    <message>
        <source>Writing has stopped so that nothing goes into the wrong file.</source>
        <translation>توقفت الكتابة كي لا يدخل شيء في الملف الخطأ.</translation>
    </message>
    <message>
        <source>Close ChatDesk, put the file back, and start again.</source>
        <translation>أغلق ChatDesk، وأعد الملف إلى مكانه، ثم شغّله من جديد.</translation>
    </message>
    <message>
        <source>The database is out of reach: its drive, folder or file is not there.</source>
        <translation>يتعذّر الوصول إلى قاعدة البيانات: محرّك أقراصها أو مجلّدها أو ملفها غير موجود.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else, and your text is still in the window.</source>
        <translation>لم يُكتب شيء في مكان آخر، ونصك ما زال في النافذة.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else.</source>
        <translation>لم يُكتب شيء في مكان آخر.</translation>
    </message>
    <message>
        <source>Connect the drive or put the file back; ChatDesk then continues by itself.</source>
        <translation>صِل القرص أو أعد الملف إلى مكانه؛ ثم يتابع ChatDesk من تلقاء نفسه.</translation>
    </message>
    <message>
        <source>This database was written by a newer ChatDesk.</source>
        <translation>كُتبت قاعدة البيانات هذه بإصدار أحدث من ChatDesk.</translation>
    </message>
    <message>
        <source>It was not touched.</source>
        <translation>لم تُمَسّ.</translation>
    </message>
    <message>
        <source>Update ChatDesk to open it.</source>
        <translation>حدّث ChatDesk لفتحها.</translation>
    </message>
    <message>
        <source>The database could not be upgraded.</source>
        <translation>تعذّرت ترقية قاعدة البيانات.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is in the backup directory.</source>
        <translation>تُركت كما كانت وتمكن قراءتها؛ وتوجد نسخة احتياطية متحقَّق منها في دليل النسخ الاحتياطية.</translation>
    </message>
    <message>
        <source>ChatDesk is already running on this data directory.</source>
        <translation>ChatDesk يعمل بالفعل على دليل البيانات هذا.</translation>
    </message>
    <message>
        <source>Use the open window, or choose another --data-dir.</source>
        <translation>استخدم النافذة المفتوحة، أو اختر ‎--data-dir آخر.</translation>
    </message>
    <message>
        <source>The output could not be written.</source>
        <translation>تعذّرت كتابة المخرجات.</translation>
    </message>
    <message>
        <source>Free some space, or send it elsewhere.</source>
        <translation>أفرغ بعض المساحة، أو أرسلها إلى مكان آخر.</translation>
    </message>
    <message>
        <source>The export could not be written.</source>
        <translation>تعذّرت كتابة الملف المصدَّر.</translation>
    </message>
    <message>
        <source>Your messages are unchanged, and nothing half-written was left.</source>
        <translation>رسائلك لم تتغيّر، ولم يبقَ شيء مكتوب جزئيًا.</translation>
    </message>
    <message>
        <source>You may read this shared project, but not write in it.</source>
        <translation>يحق لك قراءة هذا المشروع المشترك، لكن لا تحق لك الكتابة فيه.</translation>
    </message>
    <message>
        <source>Ask an owner or administrator of the project to let you edit.</source>
        <translation>اطلب من مالك المشروع أو مشرفه أن يسمح لك بالتحرير.</translation>
    </message>
    <message>
        <source>Another member wrote this, and your role lets you change and delete only what is yours.</source>
        <translation>كتب هذا عضو آخر، ودورك يسمح لك بتغيير ما هو لك وحذفه فقط.</translation>
    </message>
    <message>
        <source>Ask the person who made it, or an owner or administrator of the project.</source>
        <translation>اطلب ذلك ممن أنشأه، أو من مالك المشروع أو مشرفه.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not do what was asked.</source>
        <translation>لم تفعل قاعدة بيانات الفريق ما طُلب منها.</translation>
    </message>
    <message>
        <source>Everything you wrote is kept on this computer.</source>
        <translation>كل ما كتبته محفوظ على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>Open Details in the status line to see what it said.</source>
        <translation>افتح التفاصيل في سطر الحالة لترى ما قالته.</translation>
    </message>
    <message>
        <source>The team&apos;s database was restored from a backup.</source>
        <translation>استُعيدت قاعدة بيانات الفريق من نسخة احتياطية.</translation>
    </message>
    <message>
        <source>ChatDesk compares everything again and sends what that backup lacks.</source>
        <translation>يقارن ChatDesk كل شيء من جديد ويرسل ما تفتقده تلك النسخة الاحتياطية.</translation>
    </message>
    <message>
        <source>Your message is kept.</source>
        <translation>رسالتك محفوظة.</translation>
    </message>
    <message>
        <source>{who} sent something of another kind.</source>
        <translation>أرسل {who} شيئًا من نوع آخر.</translation>
    </message>
    <message>
        <source>It could not be loaded.</source>
        <translation>تعذّر تحميلها.</translation>
    </message>
    <message>
        <source>{host} did not answer in time.</source>
        <translation>لم يُجب {host} في الوقت المناسب.</translation>
    </message>
    <message>
        <source>{host} did not give an answer that can be used.</source>
        <translation>لم يعطِ {host} إجابة يمكن استخدامها.</translation>
    </message>
    <message>
        <source>The address leads to another server: {host}.</source>
        <translation>يقود العنوان إلى خادم آخر: {host}.</translation>
    </message>
    <message>
        <source>{host} redirects in a circle.</source>
        <translation>{host} يعيد التوجيه في حلقة.</translation>
    </message>
    <message>
        <source>{host} redirects to another address.</source>
        <translation>{host} يعيد التوجيه إلى عنوان آخر.</translation>
    </message>
    <message>
        <source>{host} is this computer or an address for machines only; nothing is loaded from there.</source>
        <translation>{host} هو هذا الحاسوب أو عنوان مخصّص للآلات؛ ولا يُحمَّل شيء من هناك.</translation>
    </message>
    <message>
        <source>{host} is in a private network.</source>
        <translation>{host} في شبكة خاصة.</translation>
    </message>
    <message>
        <source>Nothing can be loaded from this address.</source>
        <translation>لا يمكن تحميل شيء من هذا العنوان.</translation>
    </message>
    <message>
        <source>{hostname} answered with the error {status}.</source>
        <translation>أجاب {hostname} بالخطأ {status}.</translation>
    </message>
    <message>
        <source>The data came compressed in a way that ChatDesk did not ask for.</source>
        <translation>وصلت البيانات مضغوطة بطريقة لم يطلبها ChatDesk.</translation>
    </message>
    <message>
        <source>The data did not arrive completely.</source>
        <translation>لم تصل البيانات كاملة.</translation>
    </message>
    <message>
        <source>The data is larger than {max_bytes} MB.</source>
        <translation>البيانات أكبر من {max_bytes} م.ب.</translation>
    </message>
    <message>
        <source>“{name}” beside it is a link or a file, not a folder</source>
        <translation>«{name}» إلى جانبه رابط أو ملف، لا مجلّد</translation>
    </message>
    <message>
        <source>The disk of {target} is full.</source>
        <translation>قرص {target} ممتلئ.</translation>
    </message>
    <message>
        <source>Free some space, or choose another place.</source>
        <translation>أفرغ بعض المساحة، أو اختر مكانًا آخر.</translation>
    </message>
    <message>
        <source>{target} may not be written by this user.</source>
        <translation>لا يحق لهذا المستخدم الكتابة في {target}.</translation>
    </message>
    <message>
        <source>{target} is a folder.</source>
        <translation>{target} مجلّد.</translation>
    </message>
    <message>
        <source>Name a file in it.</source>
        <translation>اذكر ملفًا فيه.</translation>
    </message>
    <message>
        <source>The folder of {target} is not there.</source>
        <translation>مجلّد {target} غير موجود.</translation>
    </message>
    <message>
        <source>Put the drive back, or choose another place.</source>
        <translation>أعد محرّك الأقراص، أو اختر مكانًا آخر.</translation>
    </message>
    <message>
        <source>No file can be made in {parent}.</source>
        <translation>لا يمكن إنشاء ملف في {parent}.</translation>
    </message>
    <message>
        <source>The name {name}… is too long for that place.</source>
        <translation>الاسم {name}… أطول مما يسمح به ذلك المكان.</translation>
    </message>
    <message>
        <source>{target} could not be written: {strerror}.</source>
        <translation>تعذّرت كتابة {target}: {strerror}.</translation>
    </message>
    <message>
        <source>“chatdesk {purpose}” (process {pid}) is using this data directory.</source>
        <translation>الأمر «chatdesk {purpose}» (العملية {pid}) يعمل في دليل البيانات هذا.</translation>
    </message>
    <message>
        <source>Wait until it has ended, then try again; or choose another --data-dir.</source>
        <translation>انتظر حتى ينتهي، ثم أعد المحاولة؛ أو اختر ‎--data-dir آخر.</translation>
    </message>
    <message>
        <source>Another process answers in the place of the ChatDesk that has this data directory open.</source>
        <translation>عملية أخرى تجيب مكان ChatDesk الذي يفتح دليل البيانات هذا.</translation>
    </message>
    <message>
        <source>Nothing was sent to it.</source>
        <translation>لم يُرسَل إليها شيء.</translation>
    </message>
    <message>
        <source>Close ChatDesk and start it again; &apos;chatdesk doctor&apos; shows who owns the directory.</source>
        <translation>أغلق ChatDesk وشغّله من جديد؛ والأمر &apos;chatdesk doctor&apos; يُظهر من يملك الدليل.</translation>
    </message>
    <message>
        <source>The ChatDesk that was answering has ended.</source>
        <translation>انتهى ChatDesk الذي كان يجيب.</translation>
    </message>
    <message>
        <source>What had arrived of the answer is kept.</source>
        <translation>ما وصل من الإجابة محفوظ.</translation>
    </message>
    <message>
        <source>Ask again.</source>
        <translation>اسأل من جديد.</translation>
    </message>
    <message>
        <source>The disk is full, so ChatDesk can only read.</source>
        <translation>القرص ممتلئ، فلا يمكن لـ ChatDesk إلا القراءة.</translation>
    </message>
    <message>
        <source>The data directory cannot be written to.</source>
        <translation>لا تمكن الكتابة في دليل البيانات.</translation>
    </message>
    <message>
        <source>The file system of the data directory cannot lock files, so ChatDesk only reads from it.</source>
        <translation>نظام ملفات دليل البيانات لا يستطيع قفل الملفات، لذا يقرأ ChatDesk منه فقط.</translation>
    </message>
    <message>
        <source>Choose a data directory on a local disk.</source>
        <translation>اختر دليل بيانات على قرص محلي.</translation>
    </message>
    <message>
        <source>This ChatDesk does not do that.</source>
        <translation>لا يفعل إصدار ChatDesk هذا ذلك.</translation>
    </message>
    <message>
        <source>Too many commands ask this ChatDesk at once. Try again later.</source>
        <translation>أوامر كثيرة تسأل ChatDesk هذا معًا. أعد المحاولة لاحقًا.</translation>
    </message>
    <message>
        <source>Something unexpected happened. The log says more.</source>
        <translation>حدث أمر غير متوقع. في السجل المزيد.</translation>
    </message>
    <message>
        <source>There is no home directory: HOME is not set, and the system knows none for this user.</source>
        <translation>لا يوجد دليل منزلي: HOME غير معيَّن، ولا يعرف النظام دليلًا لهذا المستخدم.</translation>
    </message>
    <message>
        <source>Set HOME, or choose an absolute directory with --data-dir.</source>
        <translation>عيّن HOME، أو اختر دليلًا مطلقًا باستخدام ‎--data-dir.</translation>
    </message>
    <message>
        <source>The current directory no longer exists.</source>
        <translation>الدليل الحالي لم يعد موجودًا.</translation>
    </message>
    <message>
        <source>Go to another one, or choose an absolute directory with --data-dir.</source>
        <translation>انتقل إلى دليل آخر، أو اختر دليلًا مطلقًا باستخدام ‎--data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: the name {data_dir} is not UTF-8.</source>
        <translation>لا يمكن استخدام دليل البيانات: الاسم {data_dir} ليس بترميز UTF-8.</translation>
    </message>
    <message>
        <source>Rename it, or choose another with --data-dir.</source>
        <translation>أعد تسميته، أو اختر دليلًا آخر باستخدام ‎--data-dir.</translation>
    </message>
    <message>
        <source>The answer of {who} took longer than {duration} and was stopped.</source>
        <translation>استغرقت إجابة {who} أكثر من {duration} فأُوقفت.</translation>
    </message>
    <message>
        <source>Continue the answer, or try again.</source>
        <translation>تابع الإجابة، أو أعد المحاولة.</translation>
    </message>
    <message>
        <source>The base URL is not a web address.</source>
        <translation>عنوان URL الأساسي ليس عنوان ويب.</translation>
    </message>
    <message>
        <source>The base URL for {hostname} contains a user name or a password.</source>
        <translation>يضم عنوان URL الأساسي لـ {hostname} اسم مستخدم أو كلمة مرور.</translation>
    </message>
    <message>
        <source>The API key contains characters that no key has.</source>
        <translation>يضم مفتاح API محارف لا توجد في أي مفتاح.</translation>
    </message>
    <message>
        <source>One of the extra headers contains characters that cannot be sent.</source>
        <translation>تضم إحدى الترويسات الإضافية محارف لا يمكن إرسالها.</translation>
    </message>
    <message>
        <source>The extra header Host names another server than the address.</source>
        <translation>تشير الترويسة الإضافية Host إلى خادم غير الذي في العنوان.</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there, or set the proxy of this provider.</source>
        <translation>لا يمكن استخدام الوكيل الذي يحدده النظام: {proxy}. حدّد وكيل HTTP هناك، أو اضبط وكيل هذا المزوّد.</translation>
    </message>
    <message>
        <source>The file of certificates is not there.</source>
        <translation>ملف الشهادات غير موجود.</translation>
    </message>
    <message>
        <source>Your message and the part of the answer that arrived are kept.</source>
        <translation>رسالتك والجزء الذي وصل من الإجابة محفوظان.</translation>
    </message>
    <message>
        <source>There is no network connection to {who}.</source>
        <translation>لا يوجد اتصال بالشبكة إلى {who}.</translation>
    </message>
    <message>
        <source>Check the network, then try again; the offline model works without one.</source>
        <translation>تحقّق من الشبكة ثم أعد المحاولة؛ يعمل النموذج دون اتصال من غير شبكة.</translation>
    </message>
    <message>
        <source>The address of {who} could not be found.</source>
        <translation>تعذّر العثور على عنوان {who}.</translation>
    </message>
    <message>
        <source>Check the network and the spelling of the base URL, then try again.</source>
        <translation>تحقّق من الشبكة ومن كتابة عنوان URL الأساسي، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>{who} refused the connection.</source>
        <translation>رفض {who} الاتصال.</translation>
    </message>
    <message>
        <source>Check that the server is running and that the base URL names the right port.</source>
        <translation>تحقّق من أن الخادم يعمل وأن عنوان URL الأساسي يذكر المنفذ الصحيح.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate or encryption was not accepted.</source>
        <translation>الاتصال بـ {who} غير آمن: لم تُقبل شهادته أو تشفيره.</translation>
    </message>
    <message>
        <source>Check the clock of this computer, the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>تحقّق من ساعة هذا الحاسوب وعنوان URL الأساسي وأي وكيل؛ ولن يُرسَل شيء إلى أن يُحلّ هذا.</translation>
    </message>
    <message>
        <source>{who} did not accept the request.</source>
        <translation>لم يقبل {who} الطلب.</translation>
    </message>
    <message>
        <source>Change the message or choose another model, then try again.</source>
        <translation>غيّر الرسالة أو اختر نموذجًا آخر، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>{who} did not accept the API key.</source>
        <translation>لم يقبل {who} مفتاح API.</translation>
    </message>
    <message>
        <source>Check the API key in the settings.</source>
        <translation>تحقّق من مفتاح API في الإعدادات.</translation>
    </message>
    <message>
        <source>The account at {who} has no credit left or has reached its spending limit.</source>
        <translation>نفد رصيد الحساب لدى {who} أو بلغ حدّ الإنفاق.</translation>
    </message>
    <message>
        <source>Check the billing page of the account, or choose another provider.</source>
        <translation>راجع صفحة الفوترة للحساب، أو اختر مزوّدًا آخر.</translation>
    </message>
    <message>
        <source>{who} does not allow this API key to do that.</source>
        <translation>لا يسمح {who} لمفتاح API هذا بذلك.</translation>
    </message>
    <message>
        <source>Choose another model, or ask the owner of the account.</source>
        <translation>اختر نموذجًا آخر، أو اسأل مالك الحساب.</translation>
    </message>
    <message>
        <source>{who} does not know this model or this address.</source>
        <translation>لا يعرف {who} هذا النموذج أو هذا العنوان.</translation>
    </message>
    <message>
        <source>Choose another model, or check the base URL.</source>
        <translation>اختر نموذجًا آخر، أو تحقّق من عنوان URL الأساسي.</translation>
    </message>
    <message>
        <source>{who} gave up on the request because it took too long.</source>
        <translation>تخلّى {who} عن الطلب لأنه استغرق وقتًا طويلًا.</translation>
    </message>
    <message>
        <source>Try again, or shorten the message.</source>
        <translation>أعد المحاولة، أو اختصر الرسالة.</translation>
    </message>
    <message>
        <source>{who} refused the request because it conflicts with another one.</source>
        <translation>رفض {who} الطلب لأنه يتعارض مع طلب آخر.</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>أعد المحاولة بعد لحظة.</translation>
    </message>
    <message>
        <source>The thread is too long for this model.</source>
        <translation>المحادثة أطول مما يستوعبه هذا النموذج.</translation>
    </message>
    <message>
        <source>Start a new thread, shorten the message, or choose a larger model.</source>
        <translation>ابدأ محادثة جديدة، أو اختصر الرسالة، أو اختر نموذجًا أكبر.</translation>
    </message>
    <message>
        <source>{who} is receiving too many requests.</source>
        <translation>يتلقى {who} طلبات كثيرة جدًا.</translation>
    </message>
    <message>
        <source>Wait a moment, then try again.</source>
        <translation>انتظر لحظة، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>{who} had an internal error.</source>
        <translation>حدث لدى {who} خطأ داخلي.</translation>
    </message>
    <message>
        <source>Try again in a moment or choose another model.</source>
        <translation>أعد المحاولة بعد لحظة أو اختر نموذجًا آخر.</translation>
    </message>
    <message>
        <source>{who} could not be reached within {seconds} s.</source>
        <translation>تعذّر الوصول إلى {who} خلال {seconds} ث.</translation>
    </message>
    <message>
        <source>Check the network and the base URL, then try again.</source>
        <translation>تحقّق من الشبكة وعنوان URL الأساسي، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>{who} did not begin to answer within {seconds} s.</source>
        <translation>لم يبدأ {who} الإجابة خلال {seconds} ث.</translation>
    </message>
    <message>
        <source>Try again, or give it more time: “First word” of this provider, or provider.first_byte_timeout_s.</source>
        <translation>أعد المحاولة، أو امنحه وقتًا أطول: «الكلمة الأولى» لهذا المزوّد، أو provider.first_byte_timeout_s.</translation>
    </message>
    <message>
        <source>Try again or choose another model.</source>
        <translation>أعد المحاولة أو اختر نموذجًا آخر.</translation>
    </message>
    <message>
        <source>{who} stopped sending: no more of the answer arrived for {seconds} s.</source>
        <translation>توقف {who} عن الإرسال: لم يصل المزيد من الإجابة طوال {seconds} ث.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address; ChatDesk did not follow, so nothing was sent there.</source>
        <translation>أعاد {who} توجيه الطلب إلى عنوان آخر؛ ولم يتبعه ChatDesk، فلم يُرسل شيء إلى هناك.</translation>
    </message>
    <message>
        <source>{who} redirected the request without saying where to.</source>
        <translation>أعاد {who} توجيه الطلب من دون أن يحدد الوجهة.</translation>
    </message>
    <message>
        <source>{who} redirected the request to an address that cannot be read.</source>
        <translation>أعاد {who} توجيه الطلب إلى عنوان لا يمكن قراءته.</translation>
    </message>
    <message>
        <source>{who} redirected the request to something that is not a web address, so nothing was sent there.</source>
        <translation>أعاد {who} توجيه الطلب إلى ما ليس عنوان ويب، فلم يُرسل شيء إلى هناك.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a way that would lose the message, so ChatDesk did not follow.</source>
        <translation>أعاد {who} توجيه الطلب بطريقة تُفقد الرسالة، فلم يتبعه ChatDesk.</translation>
    </message>
    <message>
        <source>Check the base URL: a wrong path or a log-in page often causes this.</source>
        <translation>تحقّق من عنوان URL الأساسي: كثيرًا ما يكون السبب مسارًا خاطئًا أو صفحة تسجيل دخول.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address ({host}); ChatDesk did not follow, so nothing was sent there.</source>
        <translation>أعاد {who} توجيه الطلب إلى عنوان آخر ({host})؛ ولم يتبعه ChatDesk، فلم يُرسل شيء إلى هناك.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is self-signed.</source>
        <translation>الاتصال بـ {who} غير آمن: شهادته موقَّعة ذاتيًا.</translation>
    </message>
    <message>
        <source>The connection to {who} was lost.</source>
        <translation>انقطع الاتصال بـ {who}.</translation>
    </message>
    <message>
        <source>{who} sent something that ChatDesk cannot read.</source>
        <translation>أرسل {who} شيئًا لا يستطيع ChatDesk قراءته.</translation>
    </message>
    <message>
        <source>Try again; if it stays so, check the base URL.</source>
        <translation>أعد المحاولة؛ وإن بقي الأمر كذلك فتحقّق من عنوان URL الأساسي.</translation>
    </message>
    <message>
        <source>{who} ended the answer without saying that it is finished, so it may be cut off.</source>
        <translation>أنهى {who} الإجابة من دون أن يقول إنها اكتملت، فقد تكون مبتورة.</translation>
    </message>
    <message>
        <source>{who} sent a web page or a file instead of an answer.</source>
        <translation>أرسل {who} صفحة ويب أو ملفًا بدلًا من إجابة.</translation>
    </message>
    <message>
        <source>Check the base URL (it usually ends in /v1), and sign in first if this network has a log-in page.</source>
        <translation>تحقّق من عنوان URL الأساسي (ينتهي عادة بـ ‎/v1)، وسجّل الدخول أولًا إن كانت لهذه الشبكة صفحة دخول.</translation>
    </message>
    <message>
        <source>{who} sent an empty answer.</source>
        <translation>أرسل {who} إجابة فارغة.</translation>
    </message>
    <message>
        <source>The content filter of {who} stopped the answer.</source>
        <translation>أوقف مرشّح المحتوى لدى {who} الإجابة.</translation>
    </message>
    <message>
        <source>Rephrase the message.</source>
        <translation>أعد صياغة الرسالة.</translation>
    </message>
    <message>
        <source>{who} did not accept the image: it says that this model sees none.</source>
        <translation>لم يقبل {who} الصورة: يقول إن هذا النموذج لا يرى الصور.</translation>
    </message>
    <message>
        <source>Send the question without the image, or choose another model.</source>
        <translation>أرسل السؤال من دون الصورة، أو اختر نموذجًا آخر.</translation>
    </message>
    <message>
        <source>{who} sent more data than an answer may have, so the connection was closed.</source>
        <translation>أرسل {who} بيانات أكثر مما يجوز لإجابة، لذا أُغلق الاتصال.</translation>
    </message>
    <message>
        <source>Ask for a shorter answer, or choose another model.</source>
        <translation>اطلب إجابة أقصر، أو اختر نموذجًا آخر.</translation>
    </message>
    <message>
        <source>Set the base URL to the final address if you trust it.</source>
        <translation>عيّن عنوان URL الأساسي على العنوان النهائي إن كنت تثق به.</translation>
    </message>
    <message>
        <source>There is no API key for {who}.</source>
        <translation>لا يوجد مفتاح API لـ {who}.</translation>
    </message>
    <message>
        <source>Set OPENAI_API_KEY and start ChatDesk again, or choose the offline model.</source>
        <translation>عيّن OPENAI_API_KEY وشغّل ChatDesk من جديد، أو اختر النموذج دون اتصال.</translation>
    </message>
    <message>
        <source>The request to {who} failed.</source>
        <translation>فشل الطلب إلى {who}.</translation>
    </message>
    <message>
        <source>{who} is overloaded at the moment.</source>
        <translation>{who} مثقَل بالطلبات الآن.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a circle, so ChatDesk gave up.</source>
        <translation>أعاد {who} توجيه الطلب في حلقة، لذا تخلّى عنه ChatDesk.</translation>
    </message>
    <message>
        <source>Check the base URL, then try again.</source>
        <translation>تحقّق من عنوان URL الأساسي، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>Check the clock of this computer; nothing is sent until this is solved.</source>
        <translation>تحقّق من ساعة هذا الحاسوب؛ ولن يُرسَل شيء إلى أن يُحلّ هذا.</translation>
    </message>
    <message>
        <source>Check the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>تحقّق من عنوان URL الأساسي وأي وكيل؛ ولن يُرسَل شيء إلى أن يُحلّ هذا.</translation>
    </message>
    <message>
        <source>If it is your own server, name its certificate&apos;s file in Settings, Providers; nothing is sent until this is solved.</source>
        <translation>إن كان خادمك أنت، فاذكر ملف شهادته في الإعدادات، المزوّدون؛ ولن يُرسَل شيء إلى أن يُحلّ هذا.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is signed by an authority that this computer does not trust.</source>
        <translation>الاتصال بـ {who} غير آمن: شهادته موقّعة من سلطة لا يثق بها هذا الحاسوب.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is not valid yet.</source>
        <translation>الاتصال بـ {who} غير آمن: شهادته غير صالحة بعد.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate has expired.</source>
        <translation>الاتصال بـ {who} غير آمن: انتهت صلاحية شهادته.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another name.</source>
        <translation>الاتصال بـ {who} غير آمن: شهادته لاسم آخر.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another address.</source>
        <translation>الاتصال بـ {who} غير آمن: شهادته لعنوان آخر.</translation>
    </message>
    <message numerus="yes">
        <source>{count} days</source>
        <comment>{count} day</comment>
        <translation>
            <numerusform>صفر يوم</numerusform>
            <numerusform>يوم واحد</numerusform>
            <numerusform>يومان</numerusform>
            <numerusform>{count} أيام</numerusform>
            <numerusform>{count} يومًا</numerusform>
            <numerusform>{count} يوم</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} hours</source>
        <comment>{count} hour</comment>
        <translation>
            <numerusform>صفر ساعة</numerusform>
            <numerusform>ساعة واحدة</numerusform>
            <numerusform>ساعتان</numerusform>
            <numerusform>{count} ساعات</numerusform>
            <numerusform>{count} ساعة</numerusform>
            <numerusform>{count} ساعة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} minutes</source>
        <comment>{count} minute</comment>
        <translation>
            <numerusform>صفر دقيقة</numerusform>
            <numerusform>دقيقة واحدة</numerusform>
            <numerusform>دقيقتان</numerusform>
            <numerusform>{count} دقائق</numerusform>
            <numerusform>{count} دقيقة</numerusform>
            <numerusform>{count} دقيقة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} seconds</source>
        <comment>{count} second</comment>
        <translation>
            <numerusform>صفر ثانية</numerusform>
            <numerusform>ثانية واحدة</numerusform>
            <numerusform>ثانيتان</numerusform>
            <numerusform>{count} ثوانٍ</numerusform>
            <numerusform>{count} ثانية</numerusform>
            <numerusform>{count} ثانية</numerusform>
        </translation>
    </message>
    <message>
        <source>This computer slept while the answer was being written, and the connection was lost.</source>
        <translation>دخل هذا الحاسوب في وضع السكون أثناء كتابة الإجابة، وانقطع الاتصال.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while reading the answer.</source>
        <translation>أخطأ ChatDesk أثناء قراءة الإجابة.</translation>
    </message>
    <message>
        <source>Try again; the log file has the details.</source>
        <translation>أعد المحاولة؛ والتفاصيل في ملف السجل.</translation>
    </message>
    <message>
        <source>Check the base URL in Settings, Providers: for most servers it ends in /v1.</source>
        <translation>تحقق من عنوان URL الأساسي في الإعدادات، المزوّدون: ينتهي في معظم الخوادم بـ ‎/v1‎.</translation>
    </message>
    <message>
        <source>It says: “{quoted}”{stop}</source>
        <translation>يقول: «{quoted}»{stop}</translation>
    </message>
    <message>
        <source>Try again in {duration}.</source>
        <translation>أعد المحاولة بعد {duration}.</translation>
    </message>
    <message>
        <source>{model} was retired by the company that made it.</source>
        <translation>أوقفت الشركة المطوّرة {model}.</translation>
    </message>
    <message>
        <source>Choose another model; that company names {successor} in its place.</source>
        <translation>اختر نموذجًا آخر؛ تذكر الشركة {successor} بديلًا عنه.</translation>
    </message>
    <message>
        <source>Choose another model; the nearest are {nearest}.</source>
        <translation>اختر نموذجًا آخر؛ أقربها {nearest}.</translation>
    </message>
    <message>
        <source>Enter its key in Settings, Providers (OPENAI_API_KEY works for OpenAI), or choose the offline model.</source>
        <translation>أدخل مفتاحه في الإعدادات، المزوّدون (يكفي OPENAI_API_KEY لـ OpenAI)، أو اختر النموذج دون اتصال.</translation>
    </message>
    <message>
        <source>Correct it in the settings, then try again.</source>
        <translation>صحّحه في الإعدادات، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>{what} Nothing was sent.</source>
        <translation>{what} لم يُرسَل شيء.</translation>
    </message>
    <message>
        <source>{who} offers no model.</source>
        <translation>لا يعرض {who} أي نموذج.</translation>
    </message>
    <message>
        <source>Install or load a model on the server, then try again.</source>
        <translation>ثبّت نموذجًا على الخادم أو حمّله، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>This took too long.</source>
        <translation>استغرق هذا وقتًا أطول مما ينبغي.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models are offered.</source>
        <comment>{count} model is offered.</comment>
        <translation>
            <numerusform>لا نماذج معروضة.</numerusform>
            <numerusform>نموذج واحد معروض.</numerusform>
            <numerusform>نموذجان معروضان.</numerusform>
            <numerusform>{count} نماذج معروضة.</numerusform>
            <numerusform>{count} نموذجًا معروضًا.</numerusform>
            <numerusform>{count} نموذج معروض.</numerusform>
        </translation>
    </message>
    <message>
        <source>This server has no list of models; type their names.</source>
        <translation>ليست لدى هذا الخادم قائمة نماذج؛ اكتب أسماءها.</translation>
    </message>
    <message>
        <source>No model to ask: choose one, then test again.</source>
        <translation>لا يوجد نموذج لسؤاله: اختر واحدًا، ثم اختبر من جديد.</translation>
    </message>
    <message>
        <source>The server offers no model.</source>
        <translation>لا يعرض الخادم أي نموذج.</translation>
    </message>
    <message>
        <source>{model} streams its answer.</source>
        <translation>يبثّ {model} إجابته تدريجيًا.</translation>
    </message>
    <message>
        <source>The server answers.</source>
        <translation>الخادم يجيب.</translation>
    </message>
    <message>
        <source>The connection is encrypted.</source>
        <translation>الاتصال مشفّر.</translation>
    </message>
    <message>
        <source>Not encrypted: the address is http.</source>
        <translation>بلا تشفير: العنوان http.</translation>
    </message>
    <message>
        <source>{status}: {sentence}</source>
        <translation>{status}: {sentence}</translation>
    </message>
    <message>
        <source>The key is accepted.</source>
        <translation>المفتاح مقبول.</translation>
    </message>
    <message>
        <source>No key is needed.</source>
        <translation>لا حاجة إلى مفتاح.</translation>
    </message>
    <message>
        <source>{who} reached the length limit before it wrote any of the answer.</source>
        <translation>بلغ {who} حدّ الطول قبل أن يكتب شيئًا من الإجابة.</translation>
    </message>
    <message>
        <source>{who} called a tool that it was not offered, and wrote no answer.</source>
        <translation>استدعى {who} أداة لم تُعرض عليه، ولم يكتب إجابة.</translation>
    </message>
    <message>
        <source>{switched_off} is switched off.</source>
        <translation>{switched_off} معطَّل.</translation>
    </message>
    <message>
        <source>Switch it on in Settings, Providers, or choose another model.</source>
        <translation>شغّله في الإعدادات، المزوّدون، أو اختر نموذجًا آخر.</translation>
    </message>
    <message>
        <source>There is no provider called “{name}”.</source>
        <translation>لا يوجد مزوّد باسم «{name}».</translation>
    </message>
    <message>
        <source>Choose another model; the providers are: {known}.</source>
        <translation>اختر نموذجًا آخر؛ المزوّدون هم: {known}.</translation>
    </message>
    <message>
        <source>{label} has no key yet.</source>
        <translation>ليس لدى {label} مفتاح بعد.</translation>
    </message>
    <message>
        <source>{label} is switched off.</source>
        <translation>{label} معطَّل.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models</source>
        <comment>{count} model</comment>
        <translation>
            <numerusform>لا نماذج</numerusform>
            <numerusform>نموذج واحد</numerusform>
            <numerusform>نموذجان</numerusform>
            <numerusform>{count} نماذج</numerusform>
            <numerusform>{count} نموذجًا</numerusform>
            <numerusform>{count} نموذج</numerusform>
        </translation>
    </message>
    <message>
        <source>{label} answers and offers {number}.</source>
        <translation>{label} يجيب ويعرض {number}.</translation>
    </message>
    <message>
        <source>Your last message was cut off. Continue it exactly where it stops, in the middle of the word or line if need be. Do not repeat anything and do not add an introduction.</source>
        <translation>انقطعت رسالتك الأخيرة. تابعها من حيث توقفت تمامًا، في وسط الكلمة أو السطر إن لزم. لا تكرّر شيئًا ولا تُضف مقدمة.</translation>
    </message>
    <message>
        <source>Looking further back would take long: only the newest part was searched.</source>
        <translation>النظر أبعد في الماضي يستغرق وقتًا طويلًا: جرى البحث في أحدث جزء فقط.</translation>
    </message>
    <message>
        <source>The newest {most_ranked} matches were ranked; older ones follow.</source>
        <translation>رُتّبت أحدث {most_ranked} من النتائج؛ وتليها الأقدم.</translation>
    </message>
    <message>
        <source>Older messages are still being indexed: {percent} %.</source>
        <translation>ما زالت الرسائل الأقدم قيد الفهرسة: {percent} %.</translation>
    </message>
    <message>
        <source>Searching is not possible here: the search index is damaged. Your messages are not affected.</source>
        <translation>البحث غير ممكن هنا: فهرس البحث تالف. ورسائلك لم تتأثر.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected; search again later.</source>
        <translation>فهرس البحث تالف ويُنشأ من جديد. رسائلك لم تتأثر؛ ابحث من جديد لاحقًا.</translation>
    </message>
    <message>
        <source>That is not a place in these results.</source>
        <translation>ليس هذا موضعًا في هذه النتائج.</translation>
    </message>
    <message>
        <source>Search again.</source>
        <translation>ابحث من جديد.</translation>
    </message>
    <message>
        <source>Summarise long threads</source>
        <translation>تلخيص المحادثات الطويلة</translation>
    </message>
    <message>
        <source>Older messages are sent as a summary. The messages themselves stay.</source>
        <translation>تُرسَل الرسائل الأقدم ملخّصًا. وتبقى الرسائل نفسها.</translation>
    </message>
    <message>
        <source>Summaries</source>
        <translation>الملخّصات</translation>
    </message>
    <message>
        <source>Summarise when the window is</source>
        <translation>التلخيص عندما تكون النافذة</translation>
    </message>
    <message>
        <source>% full</source>
        <translation>% ممتلئة</translation>
    </message>
    <message>
        <source>Summarise idle threads ahead</source>
        <translation>تلخيص المحادثات الخاملة مسبقًا</translation>
    </message>
    <message>
        <source>So that your next question does not wait.</source>
        <translation>كي لا ينتظر سؤالك التالي.</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>أبدًا</translation>
    </message>
    <message>
        <source>Every night at 3:00</source>
        <translation>كل ليلة الساعة ٣:٠٠</translation>
    </message>
    <message>
        <source>Every day at 12:00</source>
        <translation>كل يوم الساعة ١٢:٠٠</translation>
    </message>
    <message>
        <source>Every Sunday at 3:00</source>
        <translation>كل أحد الساعة ٣:٠٠</translation>
    </message>
    <message>
        <source>Every hour</source>
        <translation>كل ساعة</translation>
    </message>
    <message>
        <source>Titles of new threads</source>
        <translation>عناوين المحادثات الجديدة</translation>
    </message>
    <message>
        <source>Titles</source>
        <translation>العناوين</translation>
    </message>
    <message>
        <source>Written by the model</source>
        <translation>يكتبها النموذج</translation>
    </message>
    <message>
        <source>The start of the question</source>
        <translation>بداية السؤال</translation>
    </message>
    <message>
        <source>Limit for titles and summaries</source>
        <translation>حدّ العناوين والملخّصات</translation>
    </message>
    <message>
        <source>tokens a day</source>
        <translation>رموز في اليوم</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>بلا حدّ</translation>
    </message>
    <message>
        <source>Ask before a summary costs more than</source>
        <translation>السؤال قبل ملخّص يكلّف أكثر من</translation>
    </message>
    <message>
        <source>US dollars</source>
        <translation>دولار أمريكي</translation>
    </message>
    <message>
        <source>Never ask</source>
        <translation>لا تسأل أبدًا</translation>
    </message>
    <message>
        <source>Ask before a summary takes more than</source>
        <translation>السؤال قبل ملخّص يستهلك أكثر من</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>رموز</translation>
    </message>
    <message>
        <source>it must be true or false</source>
        <translation>يجب أن يكون true أو false</translation>
    </message>
    <message>
        <source>it must be a number</source>
        <translation>يجب أن يكون رقمًا</translation>
    </message>
    <message>
        <source>it must be text</source>
        <translation>يجب أن يكون نصًا</translation>
    </message>
    <message>
        <source>it must be one of {choices}</source>
        <translation>يجب أن يكون أحد هذه: {choices}</translation>
    </message>
    <message>
        <source>it must be text without control characters</source>
        <translation>يجب أن يكون نصًا بلا حروف تحكّم</translation>
    </message>
    <message>
        <source>it must be one line</source>
        <translation>يجب أن يكون سطرًا واحدًا</translation>
    </message>
    <message>
        <source>it must be at least {minimum}</source>
        <translation>يجب أن يكون {minimum} على الأقل</translation>
    </message>
    <message>
        <source>it must be at most {maximum}</source>
        <translation>يجب أن يكون {maximum} على الأكثر</translation>
    </message>
    <message>
        <source>it must be a whole number</source>
        <translation>يجب أن يكون عددًا صحيحًا</translation>
    </message>
    <message>
        <source>it must be a table of names and texts, such as {&quot;X-Team&quot; = &quot;blue&quot;}</source>
        <translation>يجب أن يكون جدولًا من الأسماء والنصوص، مثل {&quot;X-Team&quot; = &quot;blue&quot;}</translation>
    </message>
    <message>
        <source>names and values must be text</source>
        <translation>يجب أن تكون الأسماء والقيم نصًا</translation>
    </message>
    <message>
        <source>a name has letters, digits, dots and hyphens only</source>
        <translation>لا يضم الاسم إلا حروفًا لاتينية وأرقامًا ونقاطًا وشرطات</translation>
    </message>
    <message>
        <source>a value must be one line</source>
        <translation>يجب أن تكون القيمة سطرًا واحدًا</translation>
    </message>
    <message>
        <source>each line must look like &apos;Name: value&apos;</source>
        <translation>يجب أن يكون كل سطر على هيئة &apos;Name: value&apos;</translation>
    </message>
    <message>
        <source>it must be a provider and a model, such as openai/gpt-5.4-mini</source>
        <translation>يجب أن يكون مزوّدًا ونموذجًا، مثل openai/gpt-5.4-mini</translation>
    </message>
    <message>
        <source>it must begin with https:// or http:// and name a server</source>
        <translation>يجب أن يبدأ بـ https://‎ أو http://‎ وأن يذكر خادمًا</translation>
    </message>
    <message>
        <source>it must not contain a password; use the keyring or OPENAI_API_KEY</source>
        <translation>يجب ألا يحتوي على كلمة مرور؛ استخدم حلقة المفاتيح أو OPENAI_API_KEY</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept under another name when it is read next.</source>
        <translation>الملف {path} ({subject}) تالف؛ ويُحفظ باسم آخر عند قراءته في المرة القادمة.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} was written by a newer ChatDesk. What is known of it is used, and it is left as it is.</source>
        <translation>كُتب ملف {subject}‏ {path} بإصدار أحدث من ChatDesk. يُستخدم ما هو معروف منه، ويبقى الملف كما هو.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} cannot be read ({strerror}).</source>
        <translation>تتعذّر قراءة ملف {subject}‏ {path} ({strerror}).</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged and was left as it is.</source>
        <translation>ملف {subject}‏ {path} تالف وتُرك كما هو.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept as {name}. Set the {subject} up again.</source>
        <translation>ملف {subject}‏ {path} تالف؛ وهو محفوظ باسم {name}. أعدّ {subject} من جديد.</translation>
    </message>
    <message>
        <source>The passphrase does not open the file of keys.</source>
        <translation>عبارة المرور لا تفتح ملف المفاتيح.</translation>
    </message>
    <message>
        <source>The keys are unchanged.</source>
        <translation>المفاتيح لم تتغيّر.</translation>
    </message>
    <message>
        <source>The file of keys cannot be read or written.</source>
        <translation>تتعذّر قراءة ملف المفاتيح أو الكتابة فيه.</translation>
    </message>
    <message>
        <source>It was left as it is; keys hold until ChatDesk closes.</source>
        <translation>تُرك كما كان؛ وتبقى المفاتيح إلى أن يُغلق ChatDesk.</translation>
    </message>
    <message>
        <source>Type it again; capital letters count. Without it, the keys have to be entered again.</source>
        <translation>اكتبها من جديد؛ الحروف الكبيرة مهمة. ومن دونها يجب إدخال المفاتيح من جديد.</translation>
    </message>
    <message>
        <source>Check the configuration directory, or delete the file keys.encrypted.json and enter the keys again.</source>
        <translation>تحقّق من دليل الإعداد، أو احذف الملف keys.encrypted.json وأدخل المفاتيح من جديد.</translation>
    </message>
    <message>
        <source>The file of keys has not been opened in this run.</source>
        <translation>لم يُفتح ملف المفاتيح في هذا التشغيل.</translation>
    </message>
    <message>
        <source>The keys in it are unchanged.</source>
        <translation>المفاتيح التي فيه لم تتغيّر.</translation>
    </message>
    <message>
        <source>Enter its passphrase in Settings, Providers.</source>
        <translation>أدخل عبارة مروره في الإعدادات، المزوّدون.</translation>
    </message>
    <message>
        <source>There is a file of keys already.</source>
        <translation>يوجد ملف مفاتيح بالفعل.</translation>
    </message>
    <message>
        <source>Enter its passphrase.</source>
        <translation>أدخل عبارة مروره.</translation>
    </message>
    <message>
        <source>Straight rows of keys are easy to guess.</source>
        <translation>صفوف المفاتيح المستقيمة يسهل تخمينها.</translation>
    </message>
    <message>
        <source>Short keyboard patterns are easy to guess.</source>
        <translation>أنماط لوحة المفاتيح القصيرة يسهل تخمينها.</translation>
    </message>
    <message>
        <source>Repeats like &quot;aaa&quot; are easy to guess.</source>
        <translation>التكرار مثل «aaa» يسهل تخمينه.</translation>
    </message>
    <message>
        <source>Repeats like &quot;abcabcabc&quot; are only slightly harder to guess than &quot;abc&quot;.</source>
        <translation>التكرار مثل «abcabcabc» لا يكاد يصعب تخمينه أكثر من «abc».</translation>
    </message>
    <message>
        <source>Sequences like &quot;abc&quot; or &quot;6543&quot; are easy to guess.</source>
        <translation>التسلسل مثل «abc» أو «6543» يسهل تخمينه.</translation>
    </message>
    <message>
        <source>Recent years are easy to guess.</source>
        <translation>السنوات القريبة يسهل تخمينها.</translation>
    </message>
    <message>
        <source>Dates are often easy to guess.</source>
        <translation>التواريخ يسهل تخمينها غالبًا.</translation>
    </message>
    <message>
        <source>This is a top-10 common password.</source>
        <translation>هذه من أكثر ١٠ كلمات مرور شيوعًا.</translation>
    </message>
    <message>
        <source>This is a top-100 common password.</source>
        <translation>هذه من أكثر ١٠٠ كلمة مرور شيوعًا.</translation>
    </message>
    <message>
        <source>This is a very common password.</source>
        <translation>كلمة المرور هذه شائعة جدًّا.</translation>
    </message>
    <message>
        <source>This is similar to a commonly used password.</source>
        <translation>تشبه هذه كلمة مرور شائعة.</translation>
    </message>
    <message>
        <source>A word by itself is easy to guess.</source>
        <translation>الكلمة الواحدة وحدها يسهل تخمينها.</translation>
    </message>
    <message>
        <source>Names and surnames by themselves are easy to guess.</source>
        <translation>الأسماء والألقاب وحدها يسهل تخمينها.</translation>
    </message>
    <message>
        <source>Common names and surnames are easy to guess.</source>
        <translation>الأسماء والألقاب الشائعة يسهل تخمينها.</translation>
    </message>
    <message>
        <source>A new passphrase: four words or more</source>
        <translation>عبارة مرور جديدة: أربع كلمات أو أكثر</translation>
    </message>
    <message>
        <source>This passphrase is easy to guess.</source>
        <translation>عبارة المرور هذه سهلة التخمين.</translation>
    </message>
    <message>
        <source>Four or five words that do not belong together are easy to remember and hard to guess.</source>
        <translation>أربع كلمات أو خمس لا رابط بينها سهلة التذكّر وصعبة التخمين.</translation>
    </message>
    <message>
        <source>A passphrase of blanks guards nothing.</source>
        <translation>عبارة مرور من فراغات لا تحمي شيئًا.</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address.</source>
        <translation>أي عنوان متوافق مع OpenAI.</translation>
    </message>
    <message>
        <source>Own server</source>
        <translation>خادم خاص</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address. Models are your deployments.</source>
        <translation>أدخل اسم المورد الخاص بك في العنوان. النماذج هي عمليات النشر لديك.</translation>
    </message>
    <message>
        <source>The providers could not be saved.</source>
        <translation>تعذّر حفظ المزوّدين.</translation>
    </message>
    <message>
        <source>The old file is unchanged; the change applies until ChatDesk closes.</source>
        <translation>الملف القديم لم يتغيّر؛ ويسري التغيير إلى أن يُغلق ChatDesk.</translation>
    </message>
    <message>
        <source>Check the permissions and the free space of the configuration directory.</source>
        <translation>تحقّق من الأذونات والمساحة الحرة لدليل الإعداد.</translation>
    </message>
    <message>
        <source>providers</source>
        <translation>المزوّدون</translation>
    </message>
    <message>
        <source>The file of providers was written by a newer ChatDesk.</source>
        <translation>كُتب ملف المزوّدين بإصدار أحدث من ChatDesk.</translation>
    </message>
    <message>
        <source>Update ChatDesk to change it.</source>
        <translation>حدّث ChatDesk لتغييره.</translation>
    </message>
    <message>
        <source>The file of providers {path} could not be written.</source>
        <translation>تعذّرت كتابة ملف المزوّدين {path}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} providers were left out: its entry in providers.json cannot be used.</source>
        <comment>{count} provider was left out: its entry in providers.json cannot be used.</comment>
        <translation>
            <numerusform>لم يُترك أي مزوّد.</numerusform>
            <numerusform>تُرك مزوّد واحد: لا يمكن استخدام مدخله في providers.json.</numerusform>
            <numerusform>تُرك مزوّدان: لا يمكن استخدام مدخليهما في providers.json.</numerusform>
            <numerusform>تُرك {count} مزوّدين: لا يمكن استخدام مداخلهم في providers.json.</numerusform>
            <numerusform>تُرك {count} مزوّدًا: لا يمكن استخدام مداخلهم في providers.json.</numerusform>
            <numerusform>تُرك {count} مزوّد: لا يمكن استخدام مداخلهم في providers.json.</numerusform>
        </translation>
    </message>
    <message>
        <source>New threads use</source>
        <translation>تستخدم المحادثات الجديدة</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>النماذج</translation>
    </message>
    <message>
        <source>The first provider that is ready</source>
        <translation>أول مزوّد جاهز</translation>
    </message>
    <message>
        <source>The offline demo</source>
        <translation>العرض التجريبي دون اتصال</translation>
    </message>
    <message>
        <source>Address of OpenAI</source>
        <translation>عنوان OpenAI</translation>
    </message>
    <message>
        <source>Model of new threads</source>
        <translation>نموذج المحادثات الجديدة</translation>
    </message>
    <message>
        <source>The provider&apos;s own choice</source>
        <translation>اختيار المزوّد نفسه</translation>
    </message>
    <message>
        <source>Headers for OpenAI</source>
        <translation>ترويسات OpenAI</translation>
    </message>
    <message>
        <source>Model for titles and summaries</source>
        <translation>نموذج العناوين والملخّصات</translation>
    </message>
    <message>
        <source>The thread&apos;s own model</source>
        <translation>نموذج المحادثة نفسها</translation>
    </message>
    <message>
        <source>Let models draw with their vendor&apos;s image tool</source>
        <translation>السماح للنماذج بالرسم بأداة الصور لدى مزوّدها</translation>
    </message>
    <message>
        <source>Responses protocol only; no limit sees what drawing costs.</source>
        <translation>لبروتوكول Responses فقط؛ ولا يرى أي حدّ كلفة الرسم.</translation>
    </message>
    <message>
        <source>Model for pictures</source>
        <translation>نموذج الصور</translation>
    </message>
    <message>
        <source>Offered where a model sees none.</source>
        <translation>يُعرض حين لا يرى النموذج الصور.</translation>
    </message>
    <message>
        <source>None</source>
        <translation>لا شيء</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>أطول إجابة</translation>
    </message>
    <message>
        <source>The model&apos;s own limit</source>
        <translation>حدّ النموذج نفسه</translation>
    </message>
    <message>
        <source>Keep the start of a thread for</source>
        <translation>الاحتفاظ ببداية المحادثة مدة</translation>
    </message>
    <message>
        <source>Makes follow-up questions to Claude cheaper.</source>
        <translation>يجعل أسئلة المتابعة إلى Claude أرخص.</translation>
    </message>
    <message>
        <source>5 minutes</source>
        <translation>٥ دقائق</translation>
    </message>
    <message>
        <source>1 hour</source>
        <translation>ساعة واحدة</translation>
    </message>
    <message>
        <source>Do not keep it</source>
        <translation>بلا احتفاظ</translation>
    </message>
    <message>
        <source>Wait for a connection</source>
        <translation>انتظار الاتصال</translation>
    </message>
    <message>
        <source>Slow servers</source>
        <translation>الخوادم البطيئة</translation>
    </message>
    <message>
        <source>seconds</source>
        <translation>ثوانٍ</translation>
    </message>
    <message>
        <source>Wait for an answer to begin</source>
        <translation>انتظار بدء الإجابة</translation>
    </message>
    <message>
        <source>Servers on this computer and in the local network get ten times as long.</source>
        <translation>تُمنح خوادم هذا الحاسوب والشبكة المحلية عشرة أضعاف الوقت.</translation>
    </message>
    <message>
        <source>Wait when an answer pauses</source>
        <translation>الانتظار عند توقف الإجابة</translation>
    </message>
    <message>
        <source>When you are offline</source>
        <translation>عندما تكون دون اتصال</translation>
    </message>
    <message>
        <source>Wait until you try again</source>
        <translation>الانتظار إلى أن تعيد المحاولة</translation>
    </message>
    <message>
        <source>Send once you are online</source>
        <translation>إرسال عند الاتصال</translation>
    </message>
    <message>
        <source>When you close the window during an answer</source>
        <translation>عند إغلاق النافذة أثناء إجابة</translation>
    </message>
    <message>
        <source>Stop, and continue it later</source>
        <translation>إيقافها ومتابعتها لاحقًا</translation>
    </message>
    <message>
        <source>Finish it first</source>
        <translation>إكمالها أولًا</translation>
    </message>
    <message>
        <source>Speed of the offline demo</source>
        <translation>سرعة العرض التجريبي دون اتصال</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>رمز/ث</translation>
    </message>
    <message>
        <source>Instructions for all threads</source>
        <translation>تعليمات لكل المحادثات</translation>
    </message>
    <message>
        <source>A project or thread with its own instructions uses those instead.</source>
        <translation>المشروع أو المحادثة التي لها تعليمات خاصة تستخدمها بدلًا منها.</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>الكتابة</translation>
    </message>
    <message>
        <source>For example: answer briefly, in British English.</source>
        <translation>مثلًا: أجب باختصار، بالعربية الفصحى.</translation>
    </message>
    <message>
        <source>custom instructions system prompt personality</source>
        <translation>تعليمات مخصصة موجِّه النظام شخصية</translation>
    </message>
    <message>
        <source>Send at most</source>
        <translation>الإرسال على الأكثر</translation>
    </message>
    <message>
        <source>For example 20/min or 200/day. Further messages wait their turn.</source>
        <translation>مثل 20/min أو 200/day. تنتظر الرسائل الأخرى دورها.</translation>
    </message>
    <message>
        <source>rate</source>
        <translation>معدّل</translation>
    </message>
    <message>
        <source>Send at most, by provider and project</source>
        <translation>الإرسال على الأكثر، حسب المزوّد والمشروع</translation>
    </message>
    <message>
        <source>Longest message</source>
        <translation>أطول رسالة</translation>
    </message>
    <message>
        <source>Largest attached file</source>
        <translation>أكبر ملف مرفق</translation>
    </message>
    <message>
        <source>Most files in a message</source>
        <translation>أكثر عدد ملفات في رسالة</translation>
    </message>
    <message>
        <source>files</source>
        <translation>ملفات</translation>
    </message>
    <message>
        <source>Largest size of all files in a message</source>
        <translation>أكبر حجم لكل الملفات في رسالة</translation>
    </message>
    <message>
        <source>Largest size of all files in a day</source>
        <translation>أكبر حجم لكل الملفات في يوم</translation>
    </message>
    <message>
        <source>Kinds of files kept out</source>
        <translation>أنواع الملفات غير المقبولة</translation>
    </message>
    <message>
        <source>Such as video/*, application/zip.</source>
        <translation>مثل video/*، application/zip.</translation>
    </message>
    <message>
        <source>Empty the trash after</source>
        <translation>إفراغ سلة المهملات بعد</translation>
    </message>
    <message>
        <source>Trash and archive</source>
        <translation>سلة المهملات والأرشيف</translation>
    </message>
    <message>
        <source>days</source>
        <translation>أيام</translation>
    </message>
    <message>
        <source>deleted retention</source>
        <translation>محذوف مدة الاحتفاظ</translation>
    </message>
    <message>
        <source>Move archived threads to the trash after</source>
        <translation>نقل المحادثات المؤرشفة إلى سلة المهملات بعد</translation>
    </message>
    <message>
        <source>Keep a backup of each day for</source>
        <translation>الاحتفاظ بنسخة احتياطية لكل يوم مدة</translation>
    </message>
    <message>
        <source>Backups</source>
        <translation>النسخ الاحتياطية</translation>
    </message>
    <message>
        <source>Before that, one of each week for</source>
        <translation>وقبل ذلك، نسخة لكل أسبوع مدة</translation>
    </message>
    <message>
        <source>weeks</source>
        <translation>أسابيع</translation>
    </message>
    <message>
        <source>Notify about others&apos; messages</source>
        <translation>الإشعار برسائل الآخرين</translation>
    </message>
    <message>
        <source>Only while the window is not in front.</source>
        <translation>فقط عندما لا تكون النافذة في المقدمة.</translation>
    </message>
    <message>
        <source>With name and thread</source>
        <translation>مع الاسم والمحادثة</translation>
    </message>
    <message>
        <source>With name, thread and text</source>
        <translation>مع الاسم والمحادثة والنص</translation>
    </message>
    <message>
        <source>Detail of the log file</source>
        <translation>تفصيل ملف السجل</translation>
    </message>
    <message>
        <source>From the next start on.</source>
        <translation>اعتبارًا من بدء التشغيل التالي.</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>السجل</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>كل شيء</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>عادي</translation>
    </message>
    <message>
        <source>Warnings and failures</source>
        <translation>التحذيرات والإخفاقات</translation>
    </message>
    <message>
        <source>Failures only</source>
        <translation>الإخفاقات فقط</translation>
    </message>
    <message>
        <source>Virus scanner (clamd)</source>
        <translation>فاحص الفيروسات (clamd)</translation>
    </message>
    <message>
        <source>Its socket, such as /run/clamav/clamd.ctl, or host:port.</source>
        <translation>مقبسه، مثل ‎/run/clamav/clamd.ctl، أو host:port.</translation>
    </message>
    <message>
        <source>Attached files</source>
        <translation>الملفات المرفقة</translation>
    </message>
    <message>
        <source>When the scanner does not answer</source>
        <translation>عندما لا يجيب الفاحص</translation>
    </message>
    <message>
        <source>Keep files out</source>
        <translation>عدم قبول الملفات</translation>
    </message>
    <message>
        <source>Let files in</source>
        <translation>قبول الملفات</translation>
    </message>
    <message>
        <source>The key could not be put into the system&apos;s keyring.</source>
        <translation>تعذّر وضع المفتاح في حلقة مفاتيح النظام.</translation>
    </message>
    <message>
        <source>It is used until ChatDesk closes and was not written to any file.</source>
        <translation>يُستخدم إلى أن يُغلق ChatDesk ولم يُكتب في أي ملف.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers.</source>
        <translation>افتح قفل حلقة مفاتيح أو ثبّت واحدة، أو اختر الملف المشفّر في الإعدادات، المزوّدون.</translation>
    </message>
    <message>
        <source>The keyring did not answer; it may be locked or waiting for a password.</source>
        <translation>لم تُجب حلقة المفاتيح؛ ربما هي مقفلة أو تنتظر كلمة مرور.</translation>
    </message>
    <message>
        <source>no answer within {timeout_s} s</source>
        <translation>لا إجابة خلال {timeout_s} ث</translation>
    </message>
    <message>
        <source>There is no keyring on this system.</source>
        <translation>لا توجد حلقة مفاتيح على هذا النظام.</translation>
    </message>
    <message>
        <source>The keyring is locked.</source>
        <translation>حلقة المفاتيح مقفلة.</translation>
    </message>
    <message>
        <source>The keyring failed ({name}).</source>
        <translation>فشلت حلقة المفاتيح ({name}).</translation>
    </message>
    <message>
        <source>Let other programs use ChatDesk</source>
        <translation>السماح للبرامج الأخرى باستخدام ChatDesk</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>المنفذ</translation>
    </message>
    <message>
        <source>The window and chatdesk serve listen on it.</source>
        <translation>تستمع عليه النافذة والأمر chatdesk serve.</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>على هذا الحاسوب</translation>
    </message>
    <message>
        <source>Any that is free</source>
        <translation>أي منفذ شاغر</translation>
    </message>
    <message>
        <source>api http rest</source>
        <translation>api http rest واجهة برمجة</translation>
    </message>
    <message>
        <source>Also listen on</source>
        <translation>الاستماع أيضًا على</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443. Needs a certificate.</source>
        <translation>مثل 192.168.1.5:8443. يحتاج إلى شهادة.</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>لا شيء</translation>
    </message>
    <message>
        <source>Certificate</source>
        <translation>الشهادة</translation>
    </message>
    <message>
        <source>A PEM file.</source>
        <translation>ملف PEM.</translation>
    </message>
    <message>
        <source>Key of the certificate</source>
        <translation>مفتاح الشهادة</translation>
    </message>
    <message>
        <source>A PEM file without a passphrase.</source>
        <translation>ملف PEM بلا عبارة مرور.</translation>
    </message>
    <message>
        <source>Let web pages of these origins ask</source>
        <translation>السماح لصفحات الويب من هذه المصادر بالسؤال</translation>
    </message>
    <message>
        <source>For example https://tool.example. Each page still needs a token.</source>
        <translation>مثل https://tool.example. وتحتاج كل صفحة مع ذلك إلى رمز وصول.</translation>
    </message>
    <message>
        <source>cors origin browser website</source>
        <translation>cors مصدر متصفّح موقع ويب</translation>
    </message>
    <message>
        <source>The settings could not be saved.</source>
        <translation>تعذّر حفظ الإعدادات.</translation>
    </message>
    <message>
        <source>The old settings file is unchanged; the new settings hold until ChatDesk closes.</source>
        <translation>ملف الإعدادات القديم لم يتغيّر؛ وتسري الإعدادات الجديدة إلى أن يُغلق ChatDesk.</translation>
    </message>
    <message>
        <source>{key} in the settings file</source>
        <translation>{key} في ملف الإعدادات</translation>
    </message>
    <message>
        <source>{key} cannot be set: {error}.</source>
        <translation>لا يمكن تعيين {key}: {error}.</translation>
    </message>
    <message>
        <source>The settings file {path} could not be written.</source>
        <translation>تعذّرت كتابة ملف الإعدادات {path}.</translation>
    </message>
    <message>
        <source>The settings file {path} cannot be read ({strerror}). Defaults are used; the file is unchanged.</source>
        <translation>تتعذّر قراءة ملف الإعدادات {path} ({strerror}). تُستخدم القيم الافتراضية؛ والملف لم يتغيّر.</translation>
    </message>
    <message>
        <source>The settings file {path} is empty. Defaults are used; delete it if that is meant.</source>
        <translation>ملف الإعدادات {path} فارغ. تُستخدم القيم الافتراضية؛ احذفه إن كان ذلك مقصودًا.</translation>
    </message>
    <message>
        <source>kept as {name}</source>
        <translation>محفوظ باسم {name}</translation>
    </message>
    <message>
        <source>left as it is</source>
        <translation>متروك كما هو</translation>
    </message>
    <message>
        <source>The settings file {path} is damaged. Defaults are used; the damaged file is {where}.</source>
        <translation>ملف الإعدادات {path} تالف. تُستخدم القيم الافتراضية؛ والملف التالف {where}.</translation>
    </message>
    <message>
        <source>Steps of an answer</source>
        <translation>خطوات الإجابة</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>الحدود</translation>
    </message>
    <message>
        <source>requests to the model</source>
        <translation>طلبات إلى النموذج</translation>
    </message>
    <message>
        <source>Time for an answer</source>
        <translation>مدة الإجابة</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>دقائق</translation>
    </message>
    <message>
        <source>Time for a call</source>
        <translation>مدة الاستدعاء</translation>
    </message>
    <message>
        <source>Time for a server to start</source>
        <translation>مهلة بدء الخادم</translation>
    </message>
    <message>
        <source>Cost of an answer</source>
        <translation>تكلفة الإجابة</translation>
    </message>
    <message>
        <source>No limit of its own</source>
        <translation>بلا حدّ خاص</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>السمة</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>المظهر</translation>
    </message>
    <message>
        <source>colours colors dark mode appearance</source>
        <translation>ألوان الوضع الداكن مظهر</translation>
    </message>
    <message>
        <source>Same as the system</source>
        <translation>مثل النظام</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>فاتحة</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>داكنة</translation>
    </message>
    <message>
        <source>Light, high contrast</source>
        <translation>فاتحة، تباين عالٍ</translation>
    </message>
    <message>
        <source>Dark, high contrast</source>
        <translation>داكنة، تباين عالٍ</translation>
    </message>
    <message>
        <source>tour, help</source>
        <translation>جولة، مساعدة، ماذا تستطيع</translation>
    </message>
    <message numerus="yes">
        <source>With your message I got these {count} files:</source>
        <comment>With your message I got this:</comment>
        <translation>
            <numerusform>لم يصلني ملف مع رسالتك:</numerusform>
            <numerusform>وصلني هذا مع رسالتك:</numerusform>
            <numerusform>وصلني هذان الملفان مع رسالتك:</numerusform>
            <numerusform>وصلتني هذه الملفات مع رسالتك، وعددها {count}:</numerusform>
            <numerusform>وصلتني هذه الملفات مع رسالتك، وعددها {count}:</numerusform>
            <numerusform>وصلتني هذه الملفات مع رسالتك، وعددها {count}:</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}, an image of {size} pixels</source>
        <translation>{name}، صورة من {size} بكسل</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind}), of which the beginning and the end fit</source>
        <translation>{name}، ملف من {bytes} بايت ({kind})، يتّسع المجال لبدايته ونهايته</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind})</source>
        <translation>{name}، ملف من {bytes} بايت ({kind})</translation>
    </message>
    <message>
        <source>You wrote nothing.</source>
        <translation>لم تكتب شيئًا.</translation>
    </message>
    <message>
        <source>You wrote: {question}</source>
        <translation>كتبتَ: {question}</translation>
    </message>
    <message>
        <source>A small function, and how to call it:</source>
        <translation>دالّة صغيرة وكيفية استدعائها:</translation>
    </message>
    <message>
        <source>The `dict` keeps the order in which words were first seen.</source>
        <translation>يحافظ `dict` على ترتيب ظهور الكلمات أول مرة.</translation>
    </message>
    <message>
        <source>in the application</source>
        <translation>داخل التطبيق</translation>
    </message>
    <message>
        <source>on a server</source>
        <translation>على خادم</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>مكان التشغيل</translation>
    </message>
    <message>
        <source>Good for</source>
        <translation>مناسبة لـ</translation>
    </message>
    <message>
        <source>First release</source>
        <translation>أول إصدار</translation>
    </message>
    <message>
        <source>one computer, one file</source>
        <translation>جهاز واحد وملف واحد</translation>
    </message>
    <message>
        <source>many people at once</source>
        <translation>أشخاص كثيرون في وقت واحد</translation>
    </message>
    <message>
        <source>analysing large tables</source>
        <translation>تحليل الجداول الكبيرة</translation>
    </message>
    <message>
        <source>**Say what you want.** One sentence is enough.</source>
        <translation>**قل ما تريد.** تكفي جملة واحدة.</translation>
    </message>
    <message>
        <source>**Collect what you have.**</source>
        <translation>**اجمع ما لديك.**</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>ملاحظات</translation>
    </message>
    <message>
        <source>examples</source>
        <translation>أمثلة</translation>
    </message>
    <message>
        <source>open questions</source>
        <translation>أسئلة مفتوحة</translation>
    </message>
    <message>
        <source>**Try the smallest thing that could work**, then look at it again.</source>
        <translation>**جرّب أصغر شيء قد ينجح**، ثم انظر إليه مرة أخرى.</translation>
    </message>
    <message>
        <source>question asked</source>
        <translation>طُرح السؤال</translation>
    </message>
    <message>
        <source>answer checked</source>
        <translation>رُوجعت الإجابة</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>الخطوات</translation>
    </message>
    <message>
        <source>With {first} and {second}, the two roots of {equation} are $a$ and $b$ themselves:</source>
        <translation>حين {first} و {second}، يكون جذرا {equation} هما $a$ و $b$:</translation>
    </message>
    <message>
        <source>Mathematics</source>
        <translation>الرياضيات</translation>
    </message>
    <message>
        <source>The sum of the first $n$ whole numbers is {total}.</source>
        <translation>مجموع أول $n$ عدد صحيح هو {total}.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>اللغة</translation>
    </message>
    <message>
        <source>Hello</source>
        <translation>مرحبًا</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>شكرًا</translation>
    </message>
    <message>
        <source>Translation</source>
        <translation>الترجمة</translation>
    </message>
    <message>
        <source>A real model would translate your own sentence.</source>
        <translation>النموذج الحقيقي يترجم جملتك أنت.</translation>
    </message>
    <message>
        <source>An explanation comes with **bold** and *italic* words, with [links](https://example.org) and with quotations:</source>
        <translation>في الشرح كلمات **عريضة** و *مائلة* و [روابط](https://example.org) واقتباسات:</translation>
    </message>
    <message>
        <source>A good explanation is one that lets you predict what happens next.</source>
        <translation>الشرح الجيد يتيح لك توقّع ما سيحدث بعد ذلك.</translation>
    </message>
    <message>
        <source>**What it is for** comes first.</source>
        <translation>**الغرض منه** يأتي أولًا.</translation>
    </message>
    <message>
        <source>**How it works** follows, part by part.</source>
        <translation>**طريقة عمله** تتبعه، جزءًا بعد جزء.</translation>
    </message>
    <message>
        <source>**Where it ends** closes it.</source>
        <translation>**أين ينتهي** هو الختام.</translation>
    </message>
    <message>
        <source>Explanation</source>
        <translation>الشرح</translation>
    </message>
    <message>
        <source>Your message has **{words} words** and {characters} characters.</source>
        <translation>في رسالتك **{words} كلمة** و {characters} حرفًا.</translation>
    </message>
    <message>
        <source>In short</source>
        <translation>باختصار</translation>
    </message>
    <message>
        <source>hello, good morning</source>
        <translation>مرحب، أهلا، السلام عليكم، صباح الخير، مساء الخير</translation>
    </message>
    <message>
        <source>code, function, program</source>
        <translation>كود، دالة، برنامج، شيفرة</translation>
    </message>
    <message>
        <source>table, compare</source>
        <translation>جدول، قارن، مقارنة</translation>
    </message>
    <message>
        <source>list, steps, plan, ideas</source>
        <translation>قائمة، خطوات، خطة، أفكار</translation>
    </message>
    <message>
        <source>mathematics, formula, calculate</source>
        <translation>رياضيات، معادلة، صيغة، احسب</translation>
    </message>
    <message>
        <source>translate, translation</source>
        <translation>ترجم</translation>
    </message>
    <message>
        <source>explain, why, what is</source>
        <translation>اشرح، شرح، لماذا، ما هو، ما هي</translation>
    </message>
    <message>
        <source>summary, summarise</source>
        <translation>لخّص، لخص، ملخص، باختصار</translation>
    </message>
    <message>
        <source>Changes when ChatDesk starts again.</source>
        <translation>تتغيّر عندما يبدأ ChatDesk من جديد.</translation>
    </message>
    <message>
        <source>translation locale</source>
        <translation>ترجمة لغة محلية</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>حجم النص</translation>
    </message>
    <message>
        <source>font zoom</source>
        <translation>خط تكبير</translation>
    </message>
    <message>
        <source>Room for fingers</source>
        <translation>مساحة للأصابع</translation>
    </message>
    <message>
        <source>touch screen targets size density</source>
        <translation>شاشة لمس أهداف حجم كثافة</translation>
    </message>
    <message>
        <source>When the screen is touched</source>
        <translation>عند لمس الشاشة</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>دائمًا</translation>
    </message>
    <message>
        <source>Animations</source>
        <translation>الحركات</translation>
    </message>
    <message>
        <source>movement</source>
        <translation>حركة</translation>
    </message>
    <message>
        <source>On</source>
        <translation>تشغيل</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>إيقاف</translation>
    </message>
    <message>
        <source>Screen reader reads answers</source>
        <translation>قارئ الشاشة يقرأ الإجابات</translation>
    </message>
    <message>
        <source>Their start and end are always announced.</source>
        <translation>تُعلَن بدايتها ونهايتها دائمًا.</translation>
    </message>
    <message>
        <source>speech voice</source>
        <translation>كلام صوت</translation>
    </message>
    <message>
        <source>No</source>
        <translation>لا</translation>
    </message>
    <message>
        <source>When they are complete</source>
        <translation>عند اكتمالها</translation>
    </message>
    <message>
        <source>Sentence by sentence</source>
        <translation>جملة بعد جملة</translation>
    </message>
    <message>
        <source>Send with</source>
        <translation>الإرسال بـ</translation>
    </message>
    <message>
        <source>Shift+Enter always adds a line.</source>
        <translation>Shift+Enter يضيف سطرًا دائمًا.</translation>
    </message>
    <message>
        <source>return key newline</source>
        <translation>مفتاح الإدخال سطر جديد</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>اختصارات لوحة المفاتيح</translation>
    </message>
    <message>
        <source>Press Ctrl+/ to see them at any time.</source>
        <translation>اضغط Ctrl+/‎ لرؤيتها في أي وقت.</translation>
    </message>
    <message>
        <source>Show your messages</source>
        <translation>عرض رسائلك</translation>
    </message>
    <message>
        <source>markdown</source>
        <translation>markdown تنسيق</translation>
    </message>
    <message>
        <source>With formatting</source>
        <translation>بالتنسيق</translation>
    </message>
    <message>
        <source>Exactly as typed</source>
        <translation>كما كُتبت تمامًا</translation>
    </message>
    <message>
        <source>Notify when an answer is ready</source>
        <translation>الإشعار عند جاهزية إجابة</translation>
    </message>
    <message>
        <source>While you work in another window.</source>
        <translation>بينما تعمل في نافذة أخرى.</translation>
    </message>
    <message>
        <source>Desktop</source>
        <translation>سطح المكتب</translation>
    </message>
    <message>
        <source>If it took 10 seconds</source>
        <translation>إن استغرقت ١٠ ثوانٍ</translation>
    </message>
    <message>
        <source>Icon in the tray</source>
        <translation>أيقونة في علبة النظام</translation>
    </message>
    <message>
        <source>system tray status close minimise background</source>
        <translation>علبة النظام حالة إغلاق تصغير خلفية</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>إظهار</translation>
    </message>
    <message>
        <source>Show, and keep running in it</source>
        <translation>إظهارها، ومواصلة العمل فيها</translation>
    </message>
    <message>
        <source>Start when you log in</source>
        <translation>التشغيل عند تسجيل دخولك</translation>
    </message>
    <message>
        <source>autostart boot</source>
        <translation>تشغيل تلقائي إقلاع</translation>
    </message>
    <message>
        <source>When you delete a message</source>
        <translation>عند حذف رسالة</translation>
    </message>
    <message>
        <source>Ask about later ones</source>
        <translation>السؤال عن اللاحقة</translation>
    </message>
    <message>
        <source>Delete only that one</source>
        <translation>حذفها وحدها</translation>
    </message>
    <message>
        <source>Delete later ones too</source>
        <translation>حذف اللاحقة أيضًا</translation>
    </message>
    <message>
        <source>Look for a new version once a day</source>
        <translation>البحث عن إصدار جديد مرة في اليوم</translation>
    </message>
    <message>
        <source>The portable program only; “Updates…” says how yours is updated.</source>
        <translation>للبرنامج المحمول فقط؛ يبيّن «التحديثات…» كيف تُحدَّث نسختك.</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>التحديثات</translation>
    </message>
    <message>
        <source>update upgrade release</source>
        <translation>تحديث ترقية إصدار جديد</translation>
    </message>
    <message>
        <source>A page is either around a message, or before or after one.</source>
        <translation>الصفحة إما حول رسالة، وإما قبلها أو بعدها.</translation>
    </message>
    <message>
        <source>Only your own messages can be edited.</source>
        <translation>لا يمكن تحرير سوى رسائلك أنت.</translation>
    </message>
    <message>
        <source>Only an answer can get a version of this kind.</source>
        <translation>لا تحصل على نسخة من هذا النوع سوى إجابة.</translation>
    </message>
    <message>
        <source>Only an answer that stopped before its end can be continued.</source>
        <translation>لا تمكن متابعة سوى إجابة توقفت قبل نهايتها.</translation>
    </message>
    <message>
        <source>Personal</source>
        <translation>شخصي</translation>
    </message>
    <message>
        <source>This project is in the trash.</source>
        <translation>هذا المشروع في سلة المهملات.</translation>
    </message>
    <message>
        <source>This is the last project, and new threads need one.</source>
        <translation>هذا آخر مشروع، والمحادثات الجديدة تحتاج إلى واحد.</translation>
    </message>
    <message>
        <source>Make another one first.</source>
        <translation>أنشئ مشروعًا آخر أولًا.</translation>
    </message>
    <message>
        <source>A project needs a name.</source>
        <translation>يحتاج المشروع إلى اسم.</translation>
    </message>
    <message>
        <source>A project&apos;s name has at most {longest_name} characters.</source>
        <translation>طول اسم المشروع {longest_name} من الحروف على الأكثر.</translation>
    </message>
    <message>
        <source>Choose a shorter one.</source>
        <translation>اختر اسمًا أقصر.</translation>
    </message>
    <message>
        <source>This answer is not waiting to be started.</source>
        <translation>هذه الإجابة لا تنتظر أن تبدأ.</translation>
    </message>
    <message>
        <source>This answer has ended; nothing can be added to it.</source>
        <translation>انتهت هذه الإجابة؛ ولا يمكن أن يُضاف إليها شيء.</translation>
    </message>
    <message>
        <source>A turn cannot end in a state that is not final.</source>
        <translation>لا يمكن أن ينتهي دور في حالة غير نهائية.</translation>
    </message>
    <message>
        <source>This answer has ended already.</source>
        <translation>انتهت هذه الإجابة بالفعل.</translation>
    </message>
    <message>
        <source>There is a tag “{key}” already.</source>
        <translation>يوجد وسم «{key}» بالفعل.</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>اختر اسمًا آخر.</translation>
    </message>
    <message>
        <source>A tag needs a name.</source>
        <translation>يحتاج الوسم إلى اسم.</translation>
    </message>
    <message>
        <source>A tag&apos;s name has at most {longest_name} characters.</source>
        <translation>طول اسم الوسم {longest_name} من الحروف على الأكثر.</translation>
    </message>
    <message>
        <source>There is no tag with that id.</source>
        <translation>لا يوجد وسم بهذا المعرّف.</translation>
    </message>
    <message>
        <source>There is another tag “{name}” now.</source>
        <translation>يوجد الآن وسم آخر باسم «{name}».</translation>
    </message>
    <message>
        <source>Rename that one and try again.</source>
        <translation>أعد تسمية ذلك الوسم وأعد المحاولة.</translation>
    </message>
    <message>
        <source>That is not a place in the list.</source>
        <translation>ليس هذا موضعًا في القائمة.</translation>
    </message>
    <message>
        <source>Start from the first page.</source>
        <translation>ابدأ من الصفحة الأولى.</translation>
    </message>
    <message>
        <source>The text of this message was removed for good after its time in the trash.</source>
        <translation>أُزيل نص هذه الرسالة نهائيًا بعد مدتها في سلة المهملات.</translation>
    </message>
    <message>
        <source>{thread_ids} of {thread_ids_2} threads are not, or no longer, in the trash.</source>
        <translation>{thread_ids} من أصل {thread_ids_2} من المحادثات ليست (أو لم تعد) في سلة المهملات.</translation>
    </message>
    <message>
        <source>Select those that are and try again.</source>
        <translation>حدّد الموجودة فيها وأعد المحاولة.</translation>
    </message>
    <message>
        <source>The backup that was just made is damaged, so it was not kept.</source>
        <translation>النسخة الاحتياطية التي أُنشئت للتو تالفة، لذا لم تُحفظ.</translation>
    </message>
    <message>
        <source>The backup that was just made is not complete, so it was not kept.</source>
        <translation>النسخة الاحتياطية التي أُنشئت للتو غير كاملة، لذا لم تُحفظ.</translation>
    </message>
    <message>
        <source>The database is not open.</source>
        <translation>قاعدة البيانات غير مفتوحة.</translation>
    </message>
    <message>
        <source>The database is closed.</source>
        <translation>قاعدة البيانات مغلقة.</translation>
    </message>
    <message>
        <source>ChatDesk is reading this database while another program writes to it.</source>
        <translation>يقرأ ChatDesk قاعدة البيانات هذه بينما يكتب فيها برنامج آخر.</translation>
    </message>
    <message>
        <source>The database {path} could not be used.</source>
        <translation>تعذّر استخدام قاعدة البيانات {path}.</translation>
    </message>
    <message>
        <source>Another program is using the database {path}.</source>
        <translation>برنامج آخر يستخدم قاعدة البيانات {path}.</translation>
    </message>
    <message>
        <source>The database {path} cannot be written to.</source>
        <translation>لا تمكن الكتابة في قاعدة البيانات {path}.</translation>
    </message>
    <message>
        <source>The database file {path} is damaged.</source>
        <translation>ملف قاعدة البيانات {path} تالف.</translation>
    </message>
    <message>
        <source>The disk of {folder} is full, so this could not be saved.</source>
        <translation>القرص الذي فيه {folder} ممتلئ، لذا تعذّر حفظ هذا.</translation>
    </message>
    <message>
        <source>The disk reported an error while {file} was used.</source>
        <translation>أبلغ القرص عن خطأ أثناء استخدام {file}.</translation>
    </message>
    <message>
        <source>the database</source>
        <translation>قاعدة البيانات</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; what was not confirmed counts as not saved.</source>
        <translation>ما حُفظ من قبل لم يتغيّر؛ وما لم يُؤكَّد يُعدّ غير محفوظ.</translation>
    </message>
    <message>
        <source>Check the disk and its free space, then try again.</source>
        <translation>تحقّق من القرص ومساحته الحرة، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>Change its owner or permissions, or choose another data directory.</source>
        <translation>غيّر مالكه أو أذوناته، أو اختر دليل بيانات آخر.</translation>
    </message>
    <message>
        <source>{path} is a directory, not a database file.</source>
        <translation>{path} دليل، وليس ملف قاعدة بيانات.</translation>
    </message>
    <message>
        <source>Choose another data directory.</source>
        <translation>اختر دليل بيانات آخر.</translation>
    </message>
    <message>
        <source>{path} is not a file, so it is no database.</source>
        <translation>‏{path} ليس ملفًا، فهو ليس قاعدة بيانات.</translation>
    </message>
    <message>
        <source>The directory {parent} does not exist.</source>
        <translation>الدليل {parent} غير موجود.</translation>
    </message>
    <message>
        <source>Create it or choose another one.</source>
        <translation>أنشئه أو اختر غيره.</translation>
    </message>
    <message>
        <source>The database file {path} may not be opened by this user.</source>
        <translation>لا يحق لهذا المستخدم فتح ملف قاعدة البيانات {path}.</translation>
    </message>
    <message>
        <source>The directory {parent} may not be read by this user.</source>
        <translation>لا يحق لهذا المستخدم قراءة الدليل {parent}.</translation>
    </message>
    <message>
        <source>No database can be created in {parent}.</source>
        <translation>لا يمكن إنشاء قاعدة بيانات في {parent}.</translation>
    </message>
    <message>
        <source>The database file {path} cannot be opened.</source>
        <translation>لا يمكن فتح ملف قاعدة البيانات {path}.</translation>
    </message>
    <message>
        <source>the last changes</source>
        <translation>التغييرات الأخيرة</translation>
    </message>
    <message>
        <source>The database is older than it was when ChatDesk last saved: {lost} may be missing. This happens when a backup was restored, or when a file was lost. Nothing else was changed. Look for a newer backup in the backup directory if you did not restore one yourself.</source>
        <translation>قاعدة البيانات أقدم مما كانت عليه عندما حفظ ChatDesk آخر مرة: ربما يكون {lost} مفقودًا. يحدث هذا عند استعادة نسخة احتياطية أو فقد ملف. لم يتغيّر شيء آخر. ابحث عن نسخة احتياطية أحدث في دليل النسخ الاحتياطية إن لم تستعد واحدة بنفسك.</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk (schema {revision}, here {head_revision}), so this one can only read it.</source>
        <translation>هذه البيانات تخص ChatDesk أحدث (المخطط {revision}، وهنا {head_revision})، لذلك لا يمكن لهذا إلا قراءتها.</translation>
    </message>
    <message>
        <source>You can read, search, copy and export your threads; nothing is changed.</source>
        <translation>يمكنك قراءة محادثاتك والبحث فيها ونسخها وتصديرها؛ ولا يتغيّر شيء.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue writing, or restore the backup from before the upgrade (Help, Upgrades and the way back).</source>
        <translation>حدّث ChatDesk لتتابع الكتابة، أو استعد النسخة الاحتياطية السابقة للترقية (المساعدة، الترقيات وطريق العودة).</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}, and cannot read it: “{lacking}” is not there as it knows it.</source>
        <translation>إصدار مخطط قاعدة البيانات هذه {revision}؛ ويعرف ChatDesk هذا الإصدارات حتى {head_revision}، ولا يستطيع قراءتها: «{lacking}» ليس موجودًا كما يعرفه.</translation>
    </message>
    <message>
        <source>This request was carried out before, and its result is no longer known.</source>
        <translation>نُفّذ هذا الطلب من قبل، ولم تعد نتيجته معروفة.</translation>
    </message>
    <message>
        <source>This was done before.</source>
        <translation>جرى هذا من قبل.</translation>
    </message>
    <message>
        <source>Nothing was done twice.</source>
        <translation>لم يجرِ شيء مرتين.</translation>
    </message>
    <message>
        <source>This was changed by somebody else in the meantime.</source>
        <translation>غيّر شخص آخر هذا في هذه الأثناء.</translation>
    </message>
    <message>
        <source>Look at the current state, then make your change again.</source>
        <translation>انظر إلى الحالة الحالية ثم أجرِ تغييرك من جديد.</translation>
    </message>
    <message>
        <source>The database contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>في قاعدة البيانات شيء لم يضعه ChatDesk فيها: {first}{more}.</translation>
    </message>
    <message>
        <source>None of it was used, and the file was left as it is.</source>
        <translation>لم يُستخدم شيء منها، وتُرك الملف كما هو.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;: it copies your messages into a new database and keeps this one.</source>
        <translation>شغّل &apos;chatdesk doctor --repair&apos;: فهو ينسخ رسائلك إلى قاعدة بيانات جديدة ويحتفظ بهذه.</translation>
    </message>
    <message>
        <source>The file is a database, but not one of ChatDesk&apos;s.</source>
        <translation>الملف قاعدة بيانات، لكنها ليست من قواعد ChatDesk.</translation>
    </message>
    <message>
        <source>The database does not say which version its schema has, so it is damaged.</source>
        <translation>لا تذكر قاعدة البيانات إصدار مخططها، فهي تالفة.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}, from before the first release.</source>
        <translation>إصدار مخطط قاعدة البيانات هذه هو {revision}، وهو أقدم من الإصدار الأول المنشور.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}.</source>
        <translation>إصدار مخطط قاعدة البيانات هذه {revision}؛ ويعرف ChatDesk هذا الإصدارات حتى {head_revision}.</translation>
    </message>
    <message>
        <source>The database could not be upgraded from schema version {revision} to {head_revision}.</source>
        <translation>تعذّرت ترقية قاعدة البيانات من إصدار المخطط {revision} إلى {head_revision}.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is at {saved}.</source>
        <translation>تُركت كما كانت وتمكن قراءتها؛ وتوجد نسخة احتياطية متحقَّق منها في {saved}.</translation>
    </message>
    <message>
        <source>The database file is damaged, so it was not upgraded.</source>
        <translation>ملف قاعدة البيانات تالف، لذا لم يُرقَّ.</translation>
    </message>
    <message>
        <source>The database must be upgraded, which needs {needed} MB of free space; there are {free} MB.</source>
        <translation>يجب ترقية قاعدة البيانات، وهذا يحتاج إلى {needed} م.ب من المساحة الحرة؛ والموجود {free} م.ب.</translation>
    </message>
    <message>
        <source>The database was not touched.</source>
        <translation>لم تُمَسّ قاعدة البيانات.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk then continues by itself.</source>
        <translation>أفرغ بعض المساحة؛ ثم يتابع ChatDesk من تلقاء نفسه.</translation>
    </message>
    <message>
        <source>The upgrade would have left rows that point to nothing, so it was undone.</source>
        <translation>كانت الترقية ستترك صفوفًا تشير إلى لا شيء، لذلك أُلغيت.</translation>
    </message>
    <message>
        <source>The upgrade would have changed the number of rows in {changed}; it was undone.</source>
        <translation>كانت الترقية ستغيّر عدد الصفوف في {changed}؛ لذا تُراجع عنها.</translation>
    </message>
    <message numerus="yes">
        <source>delete {count} threads</source>
        <comment>delete thread</comment>
        <translation>
            <numerusform>حذف لا محادثات</numerusform>
            <numerusform>حذف محادثة</numerusform>
            <numerusform>حذف محادثتين</numerusform>
            <numerusform>حذف {count} محادثات</numerusform>
            <numerusform>حذف {count} محادثة</numerusform>
            <numerusform>حذف {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>restore {count} threads</source>
        <comment>restore thread</comment>
        <translation>
            <numerusform>استعادة لا محادثات</numerusform>
            <numerusform>استعادة محادثة</numerusform>
            <numerusform>استعادة محادثتين</numerusform>
            <numerusform>استعادة {count} محادثات</numerusform>
            <numerusform>استعادة {count} محادثة</numerusform>
            <numerusform>استعادة {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tag {count} threads</source>
        <comment>tag thread</comment>
        <translation>
            <numerusform>وسم لا محادثات</numerusform>
            <numerusform>وسم محادثة</numerusform>
            <numerusform>وسم محادثتين</numerusform>
            <numerusform>وسم {count} محادثات</numerusform>
            <numerusform>وسم {count} محادثة</numerusform>
            <numerusform>وسم {count} محادثة</numerusform>
        </translation>
    </message>
    <message>
        <source>delete tag {name}</source>
        <translation>حذف الوسم {name}</translation>
    </message>
    <message>
        <source>delete project {name}</source>
        <translation>حذف المشروع {name}</translation>
    </message>
    <message>
        <source>restore project {name}</source>
        <translation>استعادة المشروع {name}</translation>
    </message>
    <message>
        <source>This thread is gone for good.</source>
        <translation>اختفت هذه المحادثة نهائيًا.</translation>
    </message>
    <message>
        <source>{missing} of {thread_ids} threads are gone for good.</source>
        <translation>اختفت نهائيًا {missing} من أصل {thread_ids} من المحادثات.</translation>
    </message>
    <message>
        <source>Select those that are left and try again.</source>
        <translation>حدّد ما بقي منها وأعد المحاولة.</translation>
    </message>
    <message numerus="yes">
        <source>{count} of {all} threads are in the trash.</source>
        <comment>{count} of {all} threads is in the trash.</comment>
        <translation>
            <numerusform>لا محادثات من أصل {all} في سلة المهملات.</numerusform>
            <numerusform>محادثة واحدة من أصل {all} في سلة المهملات.</numerusform>
            <numerusform>محادثتان من أصل {all} في سلة المهملات.</numerusform>
            <numerusform>{count} محادثات من أصل {all} في سلة المهملات.</numerusform>
            <numerusform>{count} محادثة من أصل {all} في سلة المهملات.</numerusform>
            <numerusform>{count} محادثة من أصل {all} في سلة المهملات.</numerusform>
        </translation>
    </message>
    <message>
        <source>Restore them first, or select the others only.</source>
        <translation>استعدها أولًا، أو حدّد الأخرى فقط.</translation>
    </message>
    <message>
        <source>A thread of a shared project cannot be moved out of it, because others have it, too.</source>
        <translation>لا يمكن نقل محادثة من مشروع مشترك إلى خارجه، لأنها لدى آخرين أيضًا.</translation>
    </message>
    <message>
        <source>Export it, and import it into the other project.</source>
        <translation>صدّرها، واستوردها إلى المشروع الآخر.</translation>
    </message>
    <message>
        <source>The team knows this thread from the project it was shared in before.</source>
        <translation>يعرف الفريق هذه المحادثة من المشروع الذي كانت مشتركة فيه من قبل.</translation>
    </message>
    <message>
        <source>Branch it at its last message, and move the branch.</source>
        <translation>فرّعها عند رسالتها الأخيرة، وانقل الفرع.</translation>
    </message>
    <message>
        <source>This project is shared, so you cannot delete it.</source>
        <translation>هذا المشروع مشترك، فلا يمكنك حذفه.</translation>
    </message>
    <message>
        <source>Stop sharing it first; then delete your copy.</source>
        <translation>أوقف مشاركته أولًا؛ ثم احذف نسختك.</translation>
    </message>
    <message>
        <source>This project is shared by others, so you cannot delete it.</source>
        <translation>يشارك آخرون هذا المشروع، فلا يمكنك حذفه.</translation>
    </message>
    <message>
        <source>Leave it first; then delete your copy.</source>
        <translation>غادره أولًا؛ ثم احذف نسختك.</translation>
    </message>
    <message>
        <source>The library holds {most_prompts} prompts at most.</source>
        <translation>تتسع المكتبة لـ {most_prompts} من الموجِّهات على الأكثر.</translation>
    </message>
    <message>
        <source>Delete some that you do not use.</source>
        <translation>احذف بعض ما لا تستخدمه.</translation>
    </message>
    <message>
        <source>The last changes cannot be shown: they are in the database&apos;s log, which can only be read where files can be created. Nothing was changed. Make the data directory writable, or copy it to a place that is, and start ChatDesk again.</source>
        <translation>لا يمكن عرض التغييرات الأخيرة: فهي في سجل قاعدة البيانات، ولا تمكن قراءته إلا حيث يمكن إنشاء ملفات. لم يتغيّر شيء. اجعل دليل البيانات قابلًا للكتابة، أو انسخه إلى حيث يكون كذلك، وابدأ من جديد.</translation>
    </message>
    <message>
        <source>The disk of {directory} is full, so ChatDesk can only read.</source>
        <translation>قرص {directory} ممتلئ، لذلك لا يمكن لـ ChatDesk إلا القراءة.</translation>
    </message>
    <message>
        <source>There is no database at {path}.</source>
        <translation>لا توجد قاعدة بيانات في {path}.</translation>
    </message>
    <message>
        <source>Nothing was created.</source>
        <translation>لم يُنشأ شيء.</translation>
    </message>
    <message>
        <source>Start ChatDesk once, or choose another --data-dir.</source>
        <translation>شغّل ChatDesk مرة واحدة، أو اختر ‎--data-dir آخر.</translation>
    </message>
    <message>
        <source>No project is called “{value}”.</source>
        <translation>لا يوجد مشروع باسم «{value}».</translation>
    </message>
    <message>
        <source>No tag is called “{value}”.</source>
        <translation>لا يوجد وسم باسم «{value}».</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk, whose search index this one cannot read.</source>
        <translation>تعود هذه البيانات إلى إصدار أحدث من ChatDesk، لا يستطيع هذا الإصدار قراءة فهرس بحثه.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected.</source>
        <translation>فهرس البحث تالف وتجري إعادة بنائه. رسائلك لم تتأثر.</translation>
    </message>
    <message>
        <source>Nobody else has this: its project is not shared.</source>
        <translation>ليس هذا لدى أحد آخر: فمشروعه غير مشترك.</translation>
    </message>
    <message>
        <source>Delete it, and empty the trash.</source>
        <translation>احذفه، وأفرغ سلة المهملات.</translation>
    </message>
    <message>
        <source>You wrote none of this, so you cannot erase it for everybody.</source>
        <translation>لم تكتب شيئًا من هذا، فلا يمكنك محوه عند الجميع.</translation>
    </message>
    <message>
        <source>Ask an owner or admin of the project, who may erase what others wrote.</source>
        <translation>اطلب ذلك من مالك المشروع أو مشرفه، فله أن يمحو ما كتبه الآخرون.</translation>
    </message>
    <message>
        <source>Your role in this project does not permit it. Ask one of its owners for another role, then try again.</source>
        <translation>دورك في هذا المشروع لا يسمح بذلك. اطلب دورًا آخر من أحد مالكيه، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>The thread or message that this belongs to is not on the team&apos;s server. Copy the text out to keep it elsewhere.</source>
        <translation>المحادثة أو الرسالة التي ينتمي إليها هذا ليست على خادم الفريق. انسخ النص إلى مكان آخر لتحتفظ به.</translation>
    </message>
    <message>
        <source>The team&apos;s server has something else in this place. Copy it out to keep it elsewhere.</source>
        <translation>لدى خادم الفريق شيء آخر في هذا الموضع. انسخه إلى الخارج لتحتفظ به في مكان آخر.</translation>
    </message>
    <message>
        <source>This is larger than the {max_body_bytes} MB that the team&apos;s server takes in one change. Copy it out, or write it in parts.</source>
        <translation>هذا أكبر من {max_body_bytes} م.ب التي يقبلها خادم الفريق في تغيير واحد. انسخه إلى الخارج، أو اكتبه أجزاء.</translation>
    </message>
    <message>
        <source>Another member wrote something else here at the same time, which everybody sees. Try again to put this in its place, or copy it out.</source>
        <translation>كتب عضو آخر شيئًا آخر هنا في الوقت نفسه، وهو ما يراه الجميع. أعد المحاولة لوضع هذا مكانه، أو انسخه.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take this. Try again, or copy it out.</source>
        <translation>لم يقبل خادم الفريق هذا. أعد المحاولة، أو انسخه إلى الخارج.</translation>
    </message>
    <message>
        <source>There is no text in these changes that could be copied.</source>
        <translation>ليس في هذه التغييرات نص يمكن نسخه.</translation>
    </message>
    <message>
        <source>This project is shared already.</source>
        <translation>هذا المشروع مشترك بالفعل.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted this thread; it is back because {by} wrote in it at the same time.</source>
        <translation>حذف {deleted_by} هذه المحادثة؛ وعادت لأن {by} كتب فيها في الوقت نفسه.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted a message here; it is back because {by} wrote below it at the same time.</source>
        <translation>حذف {deleted_by} رسالة هنا؛ وعادت لأن {by} كتب تحتها في الوقت نفسه.</translation>
    </message>
    <message>
        <source>Messages are kept for 1 to {longest_retention_days} days.</source>
        <translation>تُحفظ الرسائل من يوم إلى {longest_retention_days} من الأيام.</translation>
    </message>
    <message>
        <source>The daily backup was not made: it needs {needed} MB, {free} MB are free.</source>
        <translation>لم تُنشأ النسخة الاحتياطية اليومية: تحتاج إلى {needed} م.ب، والحر {free} م.ب.</translation>
    </message>
    <message>
        <source>Your messages are kept, and so are the older backups.</source>
        <translation>رسائلك محفوظة، وكذلك النسخ الاحتياطية الأقدم.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk tries again within the hour.</source>
        <translation>أفرغ بعض المساحة؛ يعيد ChatDesk المحاولة خلال ساعة.</translation>
    </message>
    <message>
        <source>no backup</source>
        <translation>لا نسخة احتياطية</translation>
    </message>
    <message>
        <source>Your messages and the older backups are unchanged.</source>
        <translation>رسائلك والنسخ الاحتياطية الأقدم لم تتغيّر.</translation>
    </message>
    <message>
        <source>Check the disk; ChatDesk tries again within the hour.</source>
        <translation>افحص القرص؛ يعيد ChatDesk المحاولة خلال ساعة.</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk.</source>
        <translation>{name} ليس نسخة احتياطية كاملة من ChatDesk.</translation>
    </message>
    <message>
        <source>Choose another backup.</source>
        <translation>اختر نسخة احتياطية أخرى.</translation>
    </message>
    <message>
        <source>There is no backup at {path}.</source>
        <translation>لا توجد نسخة احتياطية في {path}.</translation>
    </message>
    <message>
        <source>The daily check found damage in the database file.</source>
        <translation>وجد الفحص اليومي تلفًا في ملف قاعدة البيانات.</translation>
    </message>
    <message>
        <source>Nothing was changed, and what you see can still be read; there is no backup yet.</source>
        <translation>لم يتغيّر شيء، وما زال ما تراه قابلًا للقراءة؛ ولا توجد نسخة احتياطية بعد.</translation>
    </message>
    <message>
        <source>Export the threads you need, then run &apos;chatdesk doctor&apos; for details.</source>
        <translation>صدّر المحادثات التي تحتاج إليها، ثم شغّل &apos;chatdesk doctor&apos; لمعرفة التفاصيل.</translation>
    </message>
    <message>
        <source>Nothing was changed. The newest good backup is {path}.</source>
        <translation>لم يتغيّر شيء. أحدث نسخة احتياطية سليمة هي {path}.</translation>
    </message>
    <message>
        <source>Export what is newer than that, then restore the backup: Settings, Data and backup, or &apos;chatdesk restore&apos;.</source>
        <translation>صدّر ما هو أحدث من ذلك، ثم استعد النسخة الاحتياطية: الإعدادات، البيانات والنسخ الاحتياطي، أو &apos;chatdesk restore&apos;.</translation>
    </message>
    <message>
        <source>Project {project} is in the trash, but not all of its threads are.</source>
        <translation>المشروع {project} في سلة المهملات، لكن ليست كل محادثاته فيها.</translation>
    </message>
    <message>
        <source>Messages of thread {thread} are out of place.</source>
        <translation>رسائل المحادثة {thread} ليست في أماكنها.</translation>
    </message>
    <message>
        <source>In thread {thread} a message that is chosen below another is not below it.</source>
        <translation>في المحادثة {thread} رسالة مختارة تحت أخرى وليست تحتها.</translation>
    </message>
    <message>
        <source>The choice of shown messages of thread {thread} is broken.</source>
        <translation>اختيار الرسائل المعروضة في المحادثة {thread} معطوب.</translation>
    </message>
    <message>
        <source>The file of part {part} is missing in the list of files.</source>
        <translation>ملف الجزء {part} ناقص من قائمة الملفات.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects with threads outside the trash were taken out of the trash.</source>
        <comment>{count} project with threads outside the trash was taken out of the trash.</comment>
        <translation>
            <numerusform>لم يُخرج أي مشروع له محادثات خارج سلة المهملات منها.</numerusform>
            <numerusform>أُخرج من سلة المهملات مشروع واحد له محادثات خارجها.</numerusform>
            <numerusform>أُخرج من سلة المهملات مشروعان لهما محادثات خارجها.</numerusform>
            <numerusform>أُخرجت من سلة المهملات {count} مشاريع لها محادثات خارجها.</numerusform>
            <numerusform>أُخرج من سلة المهملات {count} مشروعًا لها محادثات خارجها.</numerusform>
            <numerusform>أُخرج من سلة المهملات {count} مشروع لها محادثات خارجها.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The messages of {count} threads were put in their places again.</source>
        <comment>The messages of {count} thread were put in their places again.</comment>
        <translation>
            <numerusform>لم تُعد رسائل أي محادثة.</numerusform>
            <numerusform>أُعيدت رسائل محادثة واحدة إلى مواضعها.</numerusform>
            <numerusform>أُعيدت رسائل محادثتين إلى مواضعها.</numerusform>
            <numerusform>أُعيدت رسائل {count} محادثات إلى مواضعها.</numerusform>
            <numerusform>أُعيدت رسائل {count} محادثة إلى مواضعها.</numerusform>
            <numerusform>أُعيدت رسائل {count} محادثة إلى مواضعها.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Choices of versions that led nowhere were removed in {count} threads.</source>
        <comment>Choices of versions that led nowhere were removed in {count} thread.</comment>
        <translation>
            <numerusform>لم تُزل اختيارات نسخ لا تقود إلى شيء في أي محادثة ({count}).</numerusform>
            <numerusform>أُزيلت اختيارات نسخ لا تقود إلى شيء في محادثة واحدة.</numerusform>
            <numerusform>أُزيلت اختيارات نسخ لا تقود إلى شيء في محادثتين.</numerusform>
            <numerusform>أُزيلت اختيارات نسخ لا تقود إلى شيء في {count} محادثات.</numerusform>
            <numerusform>أُزيلت اختيارات نسخ لا تقود إلى شيء في {count} محادثة.</numerusform>
            <numerusform>أُزيلت اختيارات نسخ لا تقود إلى شيء في {count} محادثة.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The choice of shown messages was repaired in {count} threads.</source>
        <comment>The choice of shown messages was repaired in {count} thread.</comment>
        <translation>
            <numerusform>لم يُصلَح اختيار الرسائل المعروضة في أي محادثة.</numerusform>
            <numerusform>أُصلح اختيار الرسائل المعروضة في محادثة واحدة.</numerusform>
            <numerusform>أُصلح اختيار الرسائل المعروضة في محادثتين.</numerusform>
            <numerusform>أُصلح اختيار الرسائل المعروضة في {count} محادثات.</numerusform>
            <numerusform>أُصلح اختيار الرسائل المعروضة في {count} محادثة.</numerusform>
            <numerusform>أُصلح اختيار الرسائل المعروضة في {count} محادثة.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files were entered in the list of files again, from which they were missing.</source>
        <comment>{count} attached file was entered in the list of files again, from which it was missing.</comment>
        <translation>
            <numerusform>لم يُعَد أي ملف مرفق إلى قائمة الملفات.</numerusform>
            <numerusform>أُعيد إلى قائمة الملفات ملف مرفق واحد كان ناقصًا منها.</numerusform>
            <numerusform>أُعيد إلى قائمة الملفات ملفان مرفقان كانا ناقصين منها.</numerusform>
            <numerusform>أُعيدت إلى قائمة الملفات {count} ملفات مرفقة كانت ناقصة منها.</numerusform>
            <numerusform>أُعيد إلى قائمة الملفات {count} ملفًا مرفقًا كانت ناقصة منها.</numerusform>
            <numerusform>أُعيد إلى قائمة الملفات {count} ملف مرفق كانت ناقصة منها.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database as it was before the repair is kept at {kept}.</source>
        <translation>قاعدة البيانات كما كانت قبل الإصلاح محفوظة في {kept}.</translation>
    </message>
    <message>
        <source>Nothing was wrong.</source>
        <translation>لم يكن هناك أي خلل.</translation>
    </message>
    <message>
        <source>The file is too damaged for SQLite to check it.</source>
        <translation>الملف تالف إلى حد يمنع SQLite من فحصه.</translation>
    </message>
    <message>
        <source>The search index was rebuilt; it is filled in the background.</source>
        <translation>أُعيد بناء فهرس البحث؛ ويُملأ في الخلفية.</translation>
    </message>
    <message numerus="yes">
        <source>The last shown message was determined again in {count} threads.</source>
        <comment>The last shown message was determined again in {count} thread.</comment>
        <translation>
            <numerusform>لم تُحدَّد آخر رسالة معروضة من جديد في أي محادثة.</numerusform>
            <numerusform>حُدّدت آخر رسالة معروضة من جديد في محادثة واحدة.</numerusform>
            <numerusform>حُدّدت آخر رسالة معروضة من جديد في محادثتين.</numerusform>
            <numerusform>حُدّدت آخر رسالة معروضة من جديد في {count} محادثات.</numerusform>
            <numerusform>حُدّدت آخر رسالة معروضة من جديد في {count} محادثة.</numerusform>
            <numerusform>حُدّدت آخر رسالة معروضة من جديد في {count} محادثة.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The counters of {count} threads were corrected.</source>
        <comment>The counters of {count} thread were corrected.</comment>
        <translation>
            <numerusform>لم تُصحَّح عدّادات أي محادثة.</numerusform>
            <numerusform>صُحّحت عدّادات محادثة واحدة.</numerusform>
            <numerusform>صُحّحت عدّادات محادثتين.</numerusform>
            <numerusform>صُحّحت عدّادات {count} محادثات.</numerusform>
            <numerusform>صُحّحت عدّادات {count} محادثة.</numerusform>
            <numerusform>صُحّحت عدّادات {count} محادثة.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads whose project is missing were moved to a private project.</source>
        <comment>{count} thread whose project is missing was moved to a private project.</comment>
        <translation>
            <numerusform>لم تُنقل أي محادثة فُقد مشروعها إلى مشروع خاص.</numerusform>
            <numerusform>نُقلت محادثة واحدة فُقد مشروعها إلى مشروع خاص.</numerusform>
            <numerusform>نُقلت محادثتان فُقد مشروعهما إلى مشروع خاص.</numerusform>
            <numerusform>نُقلت {count} محادثات فُقد مشروعها إلى مشروع خاص.</numerusform>
            <numerusform>نُقلت {count} محادثة فُقد مشروعها إلى مشروع خاص.</numerusform>
            <numerusform>نُقلت {count} محادثة فُقد مشروعها إلى مشروع خاص.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages whose previous message is missing now begin a version of their own.</source>
        <comment>{count} message whose previous message is missing now begins a version of its own.</comment>
        <translation>
            <numerusform>لا توجد رسائل فُقدت الرسالة السابقة لها.</numerusform>
            <numerusform>رسالة واحدة فُقدت الرسالة السابقة لها تبدأ الآن نسخة خاصة بها.</numerusform>
            <numerusform>رسالتان فُقدت الرسالة السابقة لهما تبدأ كل منهما الآن نسخة خاصة بها.</numerusform>
            <numerusform>{count} رسائل فُقدت الرسالة السابقة لها تبدأ كل منها الآن نسخة خاصة بها.</numerusform>
            <numerusform>{count} رسالة فُقدت الرسالة السابقة لها تبدأ كل منها الآن نسخة خاصة بها.</numerusform>
            <numerusform>{count} رسالة فُقدت الرسالة السابقة لها تبدأ كل منها الآن نسخة خاصة بها.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts whose thread is missing were added to the draft of a new thread.</source>
        <comment>{count} draft whose thread is missing was added to the draft of a new thread.</comment>
        <translation>
            <numerusform>لم تُضَف أي مسودة فُقدت محادثتها إلى مسودة محادثة جديدة.</numerusform>
            <numerusform>أُضيفت مسودة واحدة فُقدت محادثتها إلى مسودة محادثة جديدة.</numerusform>
            <numerusform>أُضيفت مسودتان فُقدت محادثتهما إلى مسودة محادثة جديدة.</numerusform>
            <numerusform>أُضيفت {count} مسودات فُقدت محادثتها إلى مسودة محادثة جديدة.</numerusform>
            <numerusform>أُضيفت {count} مسودة فُقدت محادثتها إلى مسودة محادثة جديدة.</numerusform>
            <numerusform>أُضيفت {count} مسودة فُقدت محادثتها إلى مسودة محادثة جديدة.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} rows of {table} that belonged to nothing were removed.</source>
        <comment>{count} row of {table} that belonged to nothing was removed.</comment>
        <translation>
            <numerusform>لم يُزَل أي صف من {table}.</numerusform>
            <numerusform>أُزيل من {table} صف واحد لا ينتمي إلى شيء.</numerusform>
            <numerusform>أُزيل من {table} صفّان لا ينتميان إلى شيء.</numerusform>
            <numerusform>أُزيلت من {table} {count} صفوف لا تنتمي إلى شيء.</numerusform>
            <numerusform>أُزيل من {table} {count} صفًّا لا تنتمي إلى شيء.</numerusform>
            <numerusform>أُزيل من {table} {count} صف لا تنتمي إلى شيء.</numerusform>
        </translation>
    </message>
    <message>
        <source>The search index is damaged.</source>
        <translation>فهرس البحث تالف.</translation>
    </message>
    <message>
        <source>The file itself is damaged (problems found: {found}), so nothing was changed in it.</source>
        <translation>الملف نفسه تالف (المشكلات التي عُثر عليها: {found})، لذلك لم يُغيَّر فيه شيء.</translation>
    </message>
    <message>
        <source>It was left as it is; a backup may still have the original.</source>
        <translation>تُرك كما هو؛ وربما لا تزال نسخة احتياطية تضم الأصل.</translation>
    </message>
    <message>
        <source>A backup made with &apos;chatdesk backup FILE&apos; contains it, if it was made in time.</source>
        <translation>تضمه نسخة احتياطية أُنشئت بالأمر &apos;chatdesk backup FILE&apos;، إن أُنشئت في الوقت المناسب.</translation>
    </message>
    <message>
        <source>It could not be repaired.</source>
        <translation>تعذّر إصلاحه.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads that had lost title and settings are called “{recovered_title}”.</source>
        <comment>{count} thread that had lost title and settings is called “{recovered_title}”.</comment>
        <translation>
            <numerusform>لا محادثات فقدت العنوان والإعدادات («{recovered_title}»).</numerusform>
            <numerusform>محادثة واحدة فقدت العنوان والإعدادات صار اسمها «{recovered_title}».</numerusform>
            <numerusform>محادثتان فقدتا العنوان والإعدادات صار اسمهما «{recovered_title}».</numerusform>
            <numerusform>{count} محادثات فقدت العنوان والإعدادات صار اسمها «{recovered_title}».</numerusform>
            <numerusform>{count} محادثة فقدت العنوان والإعدادات صار اسمها «{recovered_title}».</numerusform>
            <numerusform>{count} محادثة فقدت العنوان والإعدادات صار اسمها «{recovered_title}».</numerusform>
        </translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;: then what was lost of shared projects is fetched from the team&apos;s server as far as it is there.</source>
        <translation>اضغط «الاتصال من جديد» في الإعدادات، مزامنة الفريق، أو شغّل &apos;chatdesk team join&apos;: عندئذ يُجلب من خادم الفريق ما فُقد من المشاريع المشتركة بقدر ما هو موجود هناك.</translation>
    </message>
    <message>
        <source>Restore a backup, or close ChatDesk and run &apos;chatdesk doctor --repair&apos;, which copies what can still be read.</source>
        <translation>استعد نسخة احتياطية، أو أغلق ChatDesk وشغّل &apos;chatdesk doctor --repair&apos; الذي ينسخ ما لا تزال قراءته ممكنة.</translation>
    </message>
    <message>
        <source>{name} needs more time or memory than a backup of its size should, so ChatDesk stopped reading it.</source>
        <translation>يحتاج {name} إلى وقت أو ذاكرة أكثر مما ينبغي لنسخة بحجمه، لذلك أوقف ChatDesk قراءته.</translation>
    </message>
    <message>
        <source>Checking the backup needs up to {needed} MB; {free} MB are free.</source>
        <translation>يحتاج فحص النسخة الاحتياطية إلى ما يصل إلى {needed} م.ب؛ والمتاح {free} م.ب.</translation>
    </message>
    <message>
        <source>{name} would fill the disk if it were unpacked, so it was not.</source>
        <translation>كان {name} سيملأ القرص لو فُكّ ضغطه، لذلك لم يُفكّ.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk for the contents of the backup.</source>
        <translation>لا توجد مساحة كافية على القرص لمحتويات النسخة الاحتياطية.</translation>
    </message>
    <message>
        <source>This backup was written by a newer ChatDesk.</source>
        <translation>كُتبت هذه النسخة الاحتياطية بإصدار أحدث من ChatDesk.</translation>
    </message>
    <message>
        <source>Update ChatDesk to restore it.</source>
        <translation>حدّث ChatDesk لاستعادتها.</translation>
    </message>
    <message>
        <source>{name} contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>في {name} شيء لم يضعه ChatDesk فيها: {first}{more}.</translation>
    </message>
    <message>
        <source>{name} is damaged: some messages are replies to themselves.</source>
        <translation>{name} تالف: بعض الرسائل ردود على نفسها.</translation>
    </message>
    <message>
        <source>the column {column} of the table {table}</source>
        <translation>العمود {column} في الجدول {table}</translation>
    </message>
    <message>
        <source>the table {table}</source>
        <translation>الجدول {table}</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk: {lack} is missing.</source>
        <translation>{name} ليس نسخة احتياطية كاملة من ChatDesk: ينقص {lack}.</translation>
    </message>
    <message>
        <source>Nothing could be read from the damaged database.</source>
        <translation>لم يمكن قراءة شيء من قاعدة البيانات التالفة.</translation>
    </message>
    <message>
        <source>It was left as it is.</source>
        <translation>تُركت كما هي.</translation>
    </message>
    <message>
        <source>Restore the newest backup.</source>
        <translation>استعد أحدث نسخة احتياطية.</translation>
    </message>
    <message>
        <source>Messages that could not be read but whose text was recovered in place: {placed}.</source>
        <translation>الرسائل التي تعذّرت قراءتها لكن استُعيد نصها في مكانه: {placed}.</translation>
    </message>
    <message>
        <source>Recovered texts whose messages are lost, now in the thread “{title}”: {apart}.</source>
        <translation>النصوص المستعادة التي فُقدت رسائلها، وهي الآن في المحادثة «{title}»: {apart}.</translation>
    </message>
    <message>
        <source>Putting in order what was copied…</source>
        <translation>يُرتَّب ما نُسخ…</translation>
    </message>
    <message>
        <source>Problems that are left: {wrong}; &apos;chatdesk doctor&apos; lists them.</source>
        <translation>المشكلات الباقية: {wrong}؛ يسردها &apos;chatdesk doctor&apos;.</translation>
    </message>
    <message>
        <source>{name}: the table could not be found in the file.</source>
        <translation>{name}: تعذّر العثور على الجدول في الملف.</translation>
    </message>
    <message>
        <source>{name}: the table had lost its definition.</source>
        <translation>{name}: فقد الجدول تعريفه.</translation>
    </message>
    <message>
        <source>Reading {name}: {number} rows…</source>
        <translation>تُقرأ {name}: {number} صفوف…</translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows had values that could not be read.</source>
        <comment>{name}: {count} row had values that could not be read.</comment>
        <translation>
            <numerusform>{name}: لا صفوف فيها قيم تعذّرت قراءتها ({count}).</numerusform>
            <numerusform>{name}: في صف واحد قيم تعذّرت قراءتها.</numerusform>
            <numerusform>{name}: في صفين قيم تعذّرت قراءتها.</numerusform>
            <numerusform>{name}: في {count} صفوف قيم تعذّرت قراءتها.</numerusform>
            <numerusform>{name}: في {count} صفًا قيم تعذّرت قراءتها.</numerusform>
            <numerusform>{name}: في {count} صف قيم تعذّرت قراءتها.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}: this is not a table of ChatDesk, so it was left out.</source>
        <translation>{name}: هذا ليس جدولًا من ChatDesk، لذلك استُبعد.</translation>
    </message>
    <message numerus="yes">
        <source>{count} places</source>
        <comment>{count} place</comment>
        <translation>
            <numerusform>لا مواضع</numerusform>
            <numerusform>موضع واحد</numerusform>
            <numerusform>موضعان</numerusform>
            <numerusform>{count} مواضع</numerusform>
            <numerusform>{count} موضعًا</numerusform>
            <numerusform>{count} موضع</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {places} could not be read.</source>
        <comment>{name}: {count} row was copied; {places} could not be read.</comment>
        <translation>
            <numerusform>{name}: لم يُنسخ أي صف؛ وتعذّرت القراءة في {places}.</numerusform>
            <numerusform>{name}: نُسخ صف واحد؛ وتعذّرت القراءة في {places}.</numerusform>
            <numerusform>{name}: نُسخ صفّان؛ وتعذّرت القراءة في {places}.</numerusform>
            <numerusform>{name}: نُسخت {count} صفوف؛ وتعذّرت القراءة في {places}.</numerusform>
            <numerusform>{name}: نُسخ {count} صفًّا؛ وتعذّرت القراءة في {places}.</numerusform>
            <numerusform>{name}: نُسخ {count} صف؛ وتعذّرت القراءة في {places}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {left_out} that are there twice or make no sense were not.</source>
        <comment>{name}: {count} row was copied; {left_out} that are there twice or make no sense were not.</comment>
        <translation>
            <numerusform>{name}: لم يُنسخ أي صف؛ ولم يُنسخ {left_out} مكرر أو بلا معنى.</numerusform>
            <numerusform>{name}: نُسخ صف واحد؛ ولم يُنسخ {left_out} مكرر أو بلا معنى.</numerusform>
            <numerusform>{name}: نُسخ صفّان؛ ولم يُنسخ {left_out} مكرر أو بلا معنى.</numerusform>
            <numerusform>{name}: نُسخت {count} صفوف؛ ولم يُنسخ {left_out} مكرر أو بلا معنى.</numerusform>
            <numerusform>{name}: نُسخ {count} صفًّا؛ ولم يُنسخ {left_out} مكرر أو بلا معنى.</numerusform>
            <numerusform>{name}: نُسخ {count} صف؛ ولم يُنسخ {left_out} مكرر أو بلا معنى.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: all {count} rows were copied.</source>
        <comment>{name}: the {count} row was copied.</comment>
        <translation>
            <numerusform>{name}: لا صفوف للنسخ.</numerusform>
            <numerusform>{name}: نُسخ الصف الوحيد.</numerusform>
            <numerusform>{name}: نُسخ الصفّان كلاهما.</numerusform>
            <numerusform>{name}: نُسخت الصفوف كلها، وعددها {count}.</numerusform>
            <numerusform>{name}: نُسخت الصفوف كلها، وعددها {count}.</numerusform>
            <numerusform>{name}: نُسخت الصفوف كلها، وعددها {count}.</numerusform>
        </translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which only this computer reaches. Give the workspace a name or IP address that others reach before you invite anybody: Settings, Team sync, Address.</source>
        <translation>تذكر الدعوة الخادم «{host}» الذي لا يصل إليه سوى هذا الحاسوب. أعطِ مساحة العمل اسمًا أو عنوان IP يصل إليه الآخرون قبل أن تدعو أحدًا: الإعدادات، مزامنة الفريق، العنوان.</translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which is found in your own network only. Whoever is elsewhere needs a way into it, such as a VPN.</source>
        <translation>تذكر الدعوة الخادم «{host}» الذي لا يوجد إلا في شبكتك الخاصة. ومن كان في مكان آخر يحتاج إلى طريق إليها، مثل VPN.</translation>
    </message>
    <message>
        <source>That is not the address of a Postgres database.</source>
        <translation>ليس هذا عنوان قاعدة بيانات Postgres.</translation>
    </message>
    <message>
        <source>It looks like postgresql://name:password@db.example.org:5432/team; the server&apos;s operator shows it.</source>
        <translation>يبدو هكذا: postgresql://name:password@db.example.org:5432/team؛ ويعرضه مشغّل الخادم.</translation>
    </message>
    <message>
        <source>“{host}” is neither the name nor the IP address of a server.</source>
        <translation>«{host}» ليس اسم خادم ولا عنوان IP.</translation>
    </message>
    <message>
        <source>A port is a number from 1 to 65535.</source>
        <translation>المنفذ رقم من 1 إلى 65535.</translation>
    </message>
    <message>
        <source>The name of the database is missing, or has characters that ChatDesk does not accept.</source>
        <translation>اسم قاعدة البيانات مفقود، أو فيه حروف لا يقبلها ChatDesk.</translation>
    </message>
    <message>
        <source>The name of the login is missing, or has characters that ChatDesk does not accept.</source>
        <translation>اسم حساب الدخول مفقود، أو فيه حروف لا يقبلها ChatDesk.</translation>
    </message>
    <message>
        <source>ChatDesk does not know this kind of encryption.</source>
        <translation>لا يعرف ChatDesk هذا النوع من التشفير.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of text for each member.</source>
        <translation>أرسلت اليوم من النص قدر ما تسمح مساحة العمل لكل عضو بإرساله.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of text for each project.</source>
        <translation>أُرسل اليوم إلى هذا المشروع من النص قدر ما تسمح مساحة العمل لكل مشروع باستقباله.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of files for each member.</source>
        <translation>أرسلت اليوم من الملفات قدر ما تسمح مساحة العمل لكل عضو بإرساله.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of files for each project.</source>
        <translation>أُرسل اليوم إلى هذا المشروع من الملفات قدر ما تسمح مساحة العمل لكل مشروع باستقباله.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of changes a minute for each member.</source>
        <translation>أرسلت في هذه الدقيقة من التغييرات قدر ما تسمح مساحة العمل لكل عضو بإرساله.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself tomorrow (UTC). An owner of the workspace can raise the limit.</source>
        <translation>يتابع ChatDesk من تلقاء نفسه غدًا (UTC). ويمكن لمالك مساحة العمل رفع الحدّ.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself in a minute.</source>
        <translation>يتابع ChatDesk من تلقاء نفسه بعد دقيقة.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of members.</source>
        <translation>بلغت مساحة العمل أكبر عدد مسموح من الأعضاء.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit, or remove somebody.</source>
        <translation>يمكن لمالك مساحة العمل رفع الحدّ، أو إزالة أحدهم.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of open invitations.</source>
        <translation>بلغت الدعوات المفتوحة أكبر عدد مسموح في مساحة العمل.</translation>
    </message>
    <message>
        <source>Withdraw some, or wait until they expire. An owner of the workspace can raise the limit.</source>
        <translation>اسحب بعضها، أو انتظر حتى تنتهي. ويمكن لمالك مساحة العمل رفع الحدّ.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of shared projects for each member.</source>
        <translation>شاركت من المشاريع قدر ما تسمح مساحة العمل لكل عضو بمشاركته.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit.</source>
        <translation>يمكن لمالك مساحة العمل رفع الحدّ.</translation>
    </message>
    <message>
        <source>What the team&apos;s server sends does not fit what it sent before.</source>
        <translation>ما يرسله خادم الفريق لا يوافق ما أرسله من قبل.</translation>
    </message>
    <message>
        <source>What was received before stays readable, and everything you wrote is kept on this computer.</source>
        <translation>ما وصل من قبل يبقى مقروءًا، وكل ما كتبته محفوظ على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be reached.</source>
        <translation>يتعذّر الوصول إلى قاعدة بيانات الفريق.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself.</source>
        <translation>يعيد ChatDesk المحاولة من تلقاء نفسه.</translation>
    </message>
    <message>
        <source>The team&apos;s database is busy with another member&apos;s change.</source>
        <translation>قاعدة بيانات الفريق مشغولة بتغيير لعضو آخر.</translation>
    </message>
    <message>
        <source>The team&apos;s database waits for an unfinished change of {by}.</source>
        <translation>تنتظر قاعدة بيانات الفريق تغييرًا غير مكتمل من {by}.</translation>
    </message>
    <message>
        <source>{next_step} If it stays so, an owner of the workspace can end their connections.</source>
        <translation>{next_step} وإن بقي الأمر كذلك، فيمكن لمالك مساحة العمل إنهاء اتصالاته.</translation>
    </message>
    <message>
        <source>A limit of the workspace is reached.</source>
        <translation>بُلغ حدّ من حدود مساحة العمل.</translation>
    </message>
    <message>
        <source>An owner of the workspace can change it.</source>
        <translation>يمكن لمالك مساحة العمل تغييره.</translation>
    </message>
    <message>
        <source>Another member of the workspace has this name.</source>
        <translation>لعضو آخر في مساحة العمل هذا الاسم.</translation>
    </message>
    <message>
        <source>Choose a name that tells you apart.</source>
        <translation>اختر اسمًا يميّزك.</translation>
    </message>
    <message>
        <source>This address leads to another team&apos;s database than the one you joined.</source>
        <translation>يؤدي هذا العنوان إلى قاعدة بيانات فريق غير التي انضممت إليها.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for the address, or join the other workspace on its own.</source>
        <translation>اسأل مالك مساحة العمل عن العنوان، أو انضم إلى مساحة العمل الأخرى على حدة.</translation>
    </message>
    <message>
        <source>The password for the team&apos;s database cannot be found on this computer.</source>
        <translation>يتعذّر العثور على كلمة مرور قاعدة بيانات الفريق على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or enter the password in Settings, Team sync.</source>
        <translation>افتح قفل حلقة المفاتيح، أو أدخل كلمة المرور في الإعدادات، مزامنة الفريق.</translation>
    </message>
    <message>
        <source>This address leads to a pooler that gives each transaction another connection.</source>
        <translation>يقود هذا العنوان إلى مجمّع اتصالات يعطي كل معاملة اتصالًا آخر.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct port, or session pooling.</source>
        <translation>استخدم منفذ الخادم المباشر، أو التجميع حسب الجلسة.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not answer in time.</source>
        <translation>لم تُجب قاعدة بيانات الفريق في الوقت المناسب.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database was not found under its name.</source>
        <translation>لم يُعثر على خادم قاعدة بيانات الفريق باسمه.</translation>
    </message>
    <message>
        <source>Check the name and your network. ChatDesk tries again by itself.</source>
        <translation>تحقّق من الاسم ومن شبكتك. ويعيد ChatDesk المحاولة من تلقاء نفسه.</translation>
    </message>
    <message>
        <source>The team&apos;s database takes no more connections at the moment.</source>
        <translation>لا تقبل قاعدة بيانات الفريق مزيدًا من الاتصالات الآن.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>يعيد ChatDesk المحاولة من تلقاء نفسه. وإن بقي الأمر كذلك، فقيمة max_connections للخادم صغيرة.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be written to at the moment: its server is a standby, or was made read-only.</source>
        <translation>لا تمكن الكتابة في قاعدة بيانات الفريق الآن: خادمها احتياطي، أو جُعل للقراءة فقط.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, tell whoever runs the server.</source>
        <translation>يعيد ChatDesk المحاولة من تلقاء نفسه. وإن بقي الأمر كذلك، فأخبر من يشغّل الخادم.</translation>
    </message>
    <message>
        <source>The disk of the team&apos;s server is full.</source>
        <translation>قرص خادم الفريق ممتلئ.</translation>
    </message>
    <message>
        <source>Tell whoever runs the server. ChatDesk tries again by itself.</source>
        <translation>أخبر من يشغّل الخادم. ويعيد ChatDesk المحاولة من تلقاء نفسه.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take the password: it is wrong, or it has expired.</source>
        <translation>لم يقبل خادم الفريق كلمة المرور: هي خاطئة، أو انتهت صلاحيتها.</translation>
    </message>
    <message>
        <source>Enter the password again, or ask the workspace&apos;s owner for a new invitation.</source>
        <translation>أدخل كلمة المرور من جديد، أو اطلب من مالك مساحة العمل دعوة جديدة.</translation>
    </message>
    <message>
        <source>Your login to the team&apos;s database was closed: you are no longer a member of this workspace.</source>
        <translation>أُغلق حساب دخولك إلى قاعدة بيانات الفريق: لم تعد عضوًا في مساحة العمل هذه.</translation>
    </message>
    <message>
        <source>If this is a mistake, ask the workspace&apos;s owner for a new invitation.</source>
        <translation>إن كان هذا خطأ، فاطلب من مالك مساحة العمل دعوة جديدة.</translation>
    </message>
    <message>
        <source>This login is not a member of the workspace.</source>
        <translation>حساب الدخول هذا ليس لعضو في مساحة العمل.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for an invitation.</source>
        <translation>اطلب من مالك مساحة العمل دعوة.</translation>
    </message>
    <message>
        <source>The invitation was not accepted in time, or not at all.</source>
        <translation>لم تُقبل الدعوة في الوقت المناسب، أو لم تُقبل إطلاقًا.</translation>
    </message>
    <message>
        <source>Accept it, or ask the workspace&apos;s owner for a new one.</source>
        <translation>اقبلها، أو اطلب من مالك مساحة العمل دعوة جديدة.</translation>
    </message>
    <message>
        <source>The invitation was used already, or withdrawn; each is good once.</source>
        <translation>استُخدمت الدعوة بالفعل، أو سُحبت؛ وكل دعوة صالحة مرة واحدة.</translation>
    </message>
    <message>
        <source>If you joined on another computer, add this one there. If it was not you who used it, tell the workspace&apos;s owner, who can remove that member; then ask for a new one.</source>
        <translation>إن كنت قد انضممت على حاسوب آخر، فأضف هذا الحاسوب من هناك. وإن لم تكن أنت من استخدمها، فأخبر مالك مساحة العمل، فيمكنه إزالة ذلك العضو؛ ثم اطلب دعوة جديدة.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database does not speak TLS, so what you write would be sent unencrypted.</source>
        <translation>لا يدعم خادم قاعدة بيانات الفريق TLS، فيُرسَل ما تكتبه بلا تشفير.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server to turn TLS on. Nothing was sent.</source>
        <translation>اطلب ممن يشغّل الخادم تشغيل TLS. لم يُرسَل شيء.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database refuses connections of this kind from this computer.</source>
        <translation>يرفض خادم قاعدة بيانات الفريق هذا النوع من الاتصالات من هذا الحاسوب.</translation>
    </message>
    <message>
        <source>Turn TLS on for this address, or ask whoever runs the server to let this computer in.</source>
        <translation>شغّل TLS لهذا العنوان، أو اطلب ممن يشغّل الخادم السماح لهذا الحاسوب.</translation>
    </message>
    <message>
        <source>This computer does not trust the certificate of the team&apos;s server for that server&apos;s name.</source>
        <translation>لا يثق هذا الحاسوب بشهادة خادم الفريق لاسم ذلك الخادم.</translation>
    </message>
    <message>
        <source>Somebody may be intercepting the connection. Ask whoever runs the server for its certificate. Nothing was sent.</source>
        <translation>ربما يعترض أحدهم الاتصال. اطلب ممن يشغّل الخادم شهادته. لم يُرسَل شيء.</translation>
    </message>
    <message>
        <source>The server asked for the password itself instead of a proof that you know it, so ChatDesk did not send it.</source>
        <translation>طلب الخادم كلمة المرور نفسها بدلًا من إثبات أنك تعرفها، لذا لم يرسلها ChatDesk.</translation>
    </message>
    <message>
        <source>It may not be the team&apos;s server. Ask whoever runs it; its passwords have to be scram-sha-256.</source>
        <translation>ربما ليس خادم الفريق. اسأل من يشغّله؛ يجب أن تكون كلمات مروره scram-sha-256.</translation>
    </message>
    <message>
        <source>There is no such database on the team&apos;s server.</source>
        <translation>لا توجد قاعدة بيانات كهذه على خادم الفريق.</translation>
    </message>
    <message>
        <source>Check the name of the database.</source>
        <translation>تحقّق من اسم قاعدة البيانات.</translation>
    </message>
    <message>
        <source>There is no workspace of ChatDesk in this database.</source>
        <translation>لا توجد مساحة عمل لـ ChatDesk في قاعدة البيانات هذه.</translation>
    </message>
    <message>
        <source>Check the address, or create a workspace there.</source>
        <translation>تحقّق من العنوان، أو أنشئ مساحة عمل هناك.</translation>
    </message>
    <message>
        <source>The database is not empty, and a workspace needs one for itself.</source>
        <translation>قاعدة البيانات غير فارغة، ومساحة العمل تحتاج إلى قاعدة لها وحدها.</translation>
    </message>
    <message>
        <source>Create an empty database and give its address. Nothing was changed.</source>
        <translation>أنشئ قاعدة بيانات فارغة واذكر عنوانها. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>The server is older than PostgreSQL 15.</source>
        <translation>الخادم أقدم من PostgreSQL 15.</translation>
    </message>
    <message>
        <source>A workspace needs PostgreSQL 15 or newer. Nothing was changed.</source>
        <translation>تحتاج مساحة العمل إلى PostgreSQL 15 أو أحدث. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>The workspace was upgraded by a newer ChatDesk than this one.</source>
        <translation>رُقّيت مساحة العمل بإصدار من ChatDesk أحدث من هذا.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue; until then, what you change waits here.</source>
        <translation>حدّث ChatDesk لتتابع؛ وإلى ذلك الحين ينتظر هنا ما تغيّره.</translation>
    </message>
    <message>
        <source>The team&apos;s database is of an older ChatDesk than this one.</source>
        <translation>قاعدة بيانات الفريق من إصدار ChatDesk أقدم من هذا.</translation>
    </message>
    <message>
        <source>An owner upgrades it: &apos;chatdesk team upgrade&apos;, or upgrade.sql. Until then, what you change waits here.</source>
        <translation>يرقّيها أحد المالكين: «chatdesk team upgrade» أو upgrade.sql. وحتى ذلك الحين ينتظر هنا ما تغيّره.</translation>
    </message>
    <message>
        <source>This profile, or a copy of it, was put in the place of another one, so it no longer syncs.</source>
        <translation>وُضع هذا الملف الشخصي أو نسخة منه مكان ملف آخر، لذا توقفت مزامنته.</translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;. What waits here is sent then.</source>
        <translation>اضغط «الاتصال من جديد» في الإعدادات، مزامنة الفريق، أو شغّل &apos;chatdesk team join&apos;. عندئذ يُرسل ما ينتظر هنا.</translation>
    </message>
    <message>
        <source>Tell the people who run the server. Nothing was changed.</source>
        <translation>أخبر من يشغّلون الخادم. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>The workspace does not, or no longer, know this computer.</source>
        <translation>لا تعرف مساحة العمل هذا الحاسوب (أو لم تعد تعرفه).</translation>
    </message>
    <message>
        <source>This login may not do what setting up a workspace takes: own the database and create roles in it.</source>
        <translation>لا يحق لحساب الدخول هذا ما يلزم لإعداد مساحة عمل: امتلاك قاعدة البيانات وإنشاء أدوار فيها.</translation>
    </message>
    <message>
        <source>ChatDesk asks again by itself. Tell the people who run the server.</source>
        <translation>يعيد ChatDesk السؤال من تلقاء نفسه. أخبر من يشغّلون الخادم.</translation>
    </message>
    <message>
        <source>Use a login that owns the database and has CREATEROLE. Nothing was changed.</source>
        <translation>استخدم حساب دخول يملك قاعدة البيانات وله CREATEROLE. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>The project was deleted for everybody by its owner.</source>
        <translation>حذف المالك المشروع عند الجميع.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project.</source>
        <translation>تبقى نسختك هنا مشروعًا خاصًا.</translation>
    </message>
    <message>
        <source>You are no longer in this project.</source>
        <translation>لم تعد في هذا المشروع.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project. To come back, ask one of its owners.</source>
        <translation>تبقى نسختك هنا مشروعًا خاصًا. وللعودة، اطلب ذلك من أحد مالكيه.</translation>
    </message>
    <message>
        <source>ChatDesk registers it again by itself.</source>
        <translation>يسجّله ChatDesk من جديد من تلقاء نفسه.</translation>
    </message>
    <message>
        <source>Your role does not permit this.</source>
        <translation>دورك لا يسمح بهذا.</translation>
    </message>
    <message>
        <source>Ask an owner of the project or of the workspace. Nothing was changed.</source>
        <translation>اطلب ذلك من مالك المشروع أو مساحة العمل. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>There must always be an owner.</source>
        <translation>يجب أن يكون هناك مالك دائمًا.</translation>
    </message>
    <message>
        <source>Make somebody else owner first. Nothing was changed.</source>
        <translation>اجعل شخصًا آخر مالكًا أولًا. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not take a value.</source>
        <translation>لم تقبل قاعدة بيانات الفريق قيمة ما.</translation>
    </message>
    <message>
        <source>Check what you typed. Nothing was changed.</source>
        <translation>تحقّق مما كتبته. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>By now the server misses other changes of this project than those, or none.</source>
        <translation>ما ينقص الخادم الآن من تغييرات هذا المشروع غيرُ هذه، أو لا ينقصه شيء.</translation>
    </message>
    <message>
        <source>Check against the server again. Nothing was changed.</source>
        <translation>تحقّق مع الخادم مرة أخرى. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>Changes of this project were not only lost on the server, but rewritten as well.</source>
        <translation>لم تضِع تغييرات هذا المشروع على الخادم فحسب، بل أُعيدت كتابتها أيضًا.</translation>
    </message>
    <message>
        <source>This person has not accepted the invitation yet.</source>
        <translation>لم يقبل هذا الشخص الدعوة بعد.</translation>
    </message>
    <message>
        <source>Try it again when they have joined. Nothing was changed.</source>
        <translation>أعد المحاولة بعد انضمامه. لم يُغيَّر شيء.</translation>
    </message>
    <message>
        <source>This person is not, or no longer, a member of the workspace.</source>
        <translation>هذا الشخص ليس عضوًا في مساحة العمل، أو لم يعد عضوًا فيها.</translation>
    </message>
    <message>
        <source>Invite them first. Nothing was changed.</source>
        <translation>ادعُه أولًا. لم يُغيَّر شيء.</translation>
    </message>
    <message>
        <source>That exists already and is another member&apos;s.</source>
        <translation>هذا موجود بالفعل وهو لعضو آخر.</translation>
    </message>
    <message>
        <source>The file is no longer on the computer that sent the message.</source>
        <translation>لم يعد الملف على الحاسوب الذي أرسل الرسالة.</translation>
    </message>
    <message>
        <source>The team&apos;s database does not have the file (yet).</source>
        <translation>ليس الملف لدى قاعدة بيانات الفريق (بعد).</translation>
    </message>
    <message>
        <source>The team&apos;s database has a different file under this name.</source>
        <translation>لدى قاعدة بيانات الفريق ملف آخر بهذا الاسم.</translation>
    </message>
    <message>
        <source>The file is larger than ChatDesk takes from a team.</source>
        <translation>الملف أكبر مما يقبله ChatDesk من فريق.</translation>
    </message>
    <message>
        <source>A shared file could not be saved: {reason}.</source>
        <translation>تعذّر حفظ ملف مشترك: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk; ChatDesk tries again by itself.</source>
        <translation>أفسح مكانًا على القرص؛ ويعيد ChatDesk المحاولة من تلقاء نفسه.</translation>
    </message>
    <message>
        <source>That is not an invitation to a workspace.</source>
        <translation>ليست هذه دعوة إلى مساحة عمل.</translation>
    </message>
    <message>
        <source>Paste the whole code or link, or open the file that you were given.</source>
        <translation>ألصق الرمز أو الرابط كاملًا، أو افتح الملف الذي أُعطيته.</translation>
    </message>
    <message>
        <source>The invitation is cut off: its end is missing.</source>
        <translation>الدعوة مبتورة: نهايتها مفقودة.</translation>
    </message>
    <message>
        <source>Copy all of it, or ask for it as a file.</source>
        <translation>انسخها كلها، أو اطلبها ملفًا.</translation>
    </message>
    <message>
        <source>The invitation was changed on its way: it is not what was sent.</source>
        <translation>تغيّرت الدعوة في الطريق: ليست كما كُتبت.</translation>
    </message>
    <message>
        <source>Copy it again from where you got it, or ask for it as a file.</source>
        <translation>انسخها من جديد من حيث حصلت عليها، أو اطلبها ملفًا.</translation>
    </message>
    <message>
        <source>The invitation was made by a newer ChatDesk.</source>
        <translation>أُنشئت الدعوة بإصدار أحدث من ChatDesk.</translation>
    </message>
    <message>
        <source>Install the newest ChatDesk, then open it again.</source>
        <translation>ثبّت أحدث إصدار من ChatDesk، ثم افتحها من جديد.</translation>
    </message>
    <message>
        <source>The passphrase does not open this code.</source>
        <translation>عبارة المرور لا تفتح هذا الرمز.</translation>
    </message>
    <message>
        <source>Type it as it is shown on the other computer, three groups of four characters.</source>
        <translation>اكتبها كما تظهر على الحاسوب الآخر، ثلاث مجموعات من أربعة حروف.</translation>
    </message>
    <message>
        <source>This profile is not in that workspace.</source>
        <translation>هذا الملف الشخصي ليس في مساحة العمل تلك.</translation>
    </message>
    <message>
        <source>Join it in Settings, Team sync.</source>
        <translation>انضم إليها في الإعدادات، مزامنة الفريق.</translation>
    </message>
    <message>
        <source>An invitation is good for 1 to {longest_days} days.</source>
        <translation>تصلح الدعوة من يوم إلى {longest_days} من الأيام.</translation>
    </message>
    <message>
        <source>Choose fewer days.</source>
        <translation>اختر أيامًا أقل.</translation>
    </message>
    <message>
        <source>You cannot remove yourself.</source>
        <translation>لا يمكنك إزالة نفسك.</translation>
    </message>
    <message>
        <source>Leave the workspace instead.</source>
        <translation>غادر مساحة العمل بدلًا من ذلك.</translation>
    </message>
    <message>
        <source>Share it first.</source>
        <translation>شاركه أولًا.</translation>
    </message>
    <message>
        <source>The code has expired.</source>
        <translation>انتهت صلاحية الرمز.</translation>
    </message>
    <message>
        <source>Make a new one on your other computer.</source>
        <translation>أنشئ رمزًا جديدًا على حاسوبك الآخر.</translation>
    </message>
    <message>
        <source>If you began to set up a workspace here, setting it up again finishes that.</source>
        <translation>إن كنت قد بدأت إعداد مساحة عمل هنا، فإعدادها من جديد يُكمل ذلك.</translation>
    </message>
    <message>
        <source>The password of this workspace is not known here.</source>
        <translation>كلمة مرور مساحة العمل هذه غير معروفة هنا.</translation>
    </message>
    <message>
        <source>The password comes from an environment variable, so ChatDesk cannot change it.</source>
        <translation>تأتي كلمة المرور من متغيّر بيئة، فلا يستطيع ChatDesk تغييرها.</translation>
    </message>
    <message>
        <source>Remove the variable, type the password once, and change it then.</source>
        <translation>أزل المتغيّر، واكتب كلمة المرور مرة واحدة، ثم غيّرها.</translation>
    </message>
    <message>
        <source>The invitation has expired.</source>
        <translation>انتهت صلاحية الدعوة.</translation>
    </message>
    <message>
        <source>Ask whoever invited you for a new one.</source>
        <translation>اطلب دعوة جديدة ممن دعاك.</translation>
    </message>
    <message>
        <source>This code no longer opens the team&apos;s database: the password was changed, or you were removed.</source>
        <translation>لم يعد هذا الرمز يفتح قاعدة بيانات الفريق: تغيّرت كلمة المرور، أو أُزلت.</translation>
    </message>
    <message>
        <source>Make a new code on a computer that still syncs, or ask the workspace&apos;s owner.</source>
        <translation>أنشئ رمزًا جديدًا على حاسوب ما زال يزامن، أو اطلبه من مالك مساحة العمل.</translation>
    </message>
    <message>
        <source>This profile is in that workspace already.</source>
        <translation>هذا الملف الشخصي في مساحة العمل تلك بالفعل.</translation>
    </message>
    <message>
        <source>Settings, Team sync shows its state.</source>
        <translation>تُظهر الإعدادات، مزامنة الفريق حالتها.</translation>
    </message>
    <message>
        <source>This server has no encryption: everybody on the way can read and change what is sent, passwords too.</source>
        <translation>لا تشفير لهذا الخادم: يمكن لكل من في الطريق قراءة ما يُرسَل وتغييره، وكلمات المرور أيضًا.</translation>
    </message>
    <message>
        <source>Ask for a server with TLS; agree only on this computer or in a network of your own.</source>
        <translation>اطلب خادمًا مع TLS؛ ولا توافق إلا على هذا الحاسوب أو في شبكتك الخاصة.</translation>
    </message>
    <message>
        <source>This server is not in a network of your own, so ChatDesk speaks to it with encryption only.</source>
        <translation>هذا الخادم ليس في شبكتك الخاصة، لذا لا يكلّمه ChatDesk إلا بتشفير.</translation>
    </message>
    <message>
        <source>Switch TLS on at the server; docs/team-administration.md says how.</source>
        <translation>شغّل TLS على الخادم؛ والملف docs/team-administration.md يشرح ذلك.</translation>
    </message>
    <message>
        <source>A name has 1 to 80 characters on one line.</source>
        <translation>طول الاسم من ١ إلى ٨٠ حرفًا في سطر واحد.</translation>
    </message>
    <message>
        <source>Type another one.</source>
        <translation>اكتب اسمًا آخر.</translation>
    </message>
    <message>
        <source>This code is for a further computer of yours and sealed with a passphrase.</source>
        <translation>هذا الرمز لحاسوب آخر من حواسيبك ومختوم بعبارة مرور.</translation>
    </message>
    <message>
        <source>Type the passphrase that is shown beside the code.</source>
        <translation>اكتب عبارة المرور الظاهرة بجانب الرمز.</translation>
    </message>
    <message>
        <source>A password for a team&apos;s database has {shortest} to {longest} letters, digits and signs of an English keyboard, without spaces.</source>
        <translation>في كلمة مرور قاعدة بيانات الفريق من {shortest} إلى {longest} من الحروف والأرقام والرموز في لوحة مفاتيح إنجليزية، بلا مسافات.</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>اختر كلمة أخرى.</translation>
    </message>
    <message>
        <source>This computer cannot keep the password for the team&apos;s database.</source>
        <translation>لا يستطيع هذا الحاسوب حفظ كلمة مرور قاعدة بيانات الفريق.</translation>
    </message>
    <message>
        <source>Nothing was changed on the server, and the invitation is still good.</source>
        <translation>لم يتغيّر شيء على الخادم، والدعوة ما زالت صالحة.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers; or put a password of your own into the variable {variable} each time before ChatDesk starts.</source>
        <translation>افتح قفل حلقة مفاتيح أو ثبّت واحدة، أو اختر الملف المشفّر في الإعدادات، المزوّدون؛ أو ضع كلمة مرور خاصة بك في المتغيّر {variable} كل مرة قبل بدء ChatDesk.</translation>
    </message>
    <message>
        <source>The password was given for {kept}, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>أُعطيت كلمة المرور لـ {kept}، ومساحة العمل الآن على {server}: لم تُرسَل إلى هناك. إن كان الخادم قد انتقل فعلًا فاذكر ذلك في الإعدادات، مزامنة الفريق، العنوان، أو أدخل كلمة المرور من جديد.</translation>
    </message>
    <message>
        <source>The password was kept by an earlier ChatDesk, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>حفظ إصدار سابق من ChatDesk كلمة المرور، ومساحة العمل الآن على {server}: لم تُرسَل إلى هناك. إن كان الخادم قد انتقل فعلًا فاذكر ذلك في الإعدادات، مزامنة الفريق، العنوان، أو أدخل كلمة المرور من جديد.</translation>
    </message>
    <message>
        <source>The variable {variable} has a password, and nobody said on this computer that it is for {server}: it was not sent there. If it is, set {server_variable} to {named}, or enter the password.</source>
        <translation>في المتغيّر {variable} كلمة مرور، ولم يقل أحد على هذا الحاسوب إنها لـ {server}: فلم تُرسَل إليه. إن كانت له، فاضبط {server_variable} على {named}، أو أدخل كلمة المرور.</translation>
    </message>
    <message>
        <source>This project is shared with another workspace already.</source>
        <translation>هذا المشروع مشترك مع مساحة عمل أخرى بالفعل.</translation>
    </message>
    <message>
        <source>Stop sharing it there first.</source>
        <translation>أوقف مشاركته هناك أولًا.</translation>
    </message>
    <message>
        <source>Ask one of its owners.</source>
        <translation>اطلب ذلك من أحد مالكيه.</translation>
    </message>
    <message>
        <source>Update ChatDesk.</source>
        <translation>حدّث ChatDesk.</translation>
    </message>
    <message>
        <source>What others write comes up to half a minute late: the server&apos;s notifications do not arrive on this connection.</source>
        <translation>ما يكتبه الآخرون يصل متأخرًا حتى نصف دقيقة: لا تصل إشعارات الخادم عبر هذا الاتصال.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct address, or a pooler in session mode: Settings, Team sync, Address.</source>
        <translation>استخدم العنوان المباشر للخادم، أو مجمّع اتصالات بوضع session: الإعدادات، مزامنة الفريق، العنوان.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk to write to it; what you write waits on this computer.</source>
        <translation>تحتاج قاعدة بيانات الفريق إلى إصدار أحدث من ChatDesk للكتابة فيها؛ وينتظر ما تكتبه على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk.</source>
        <translation>تحتاج قاعدة بيانات الفريق إلى إصدار أحدث من ChatDesk.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} ahead of the team&apos;s. Nothing is lost by that.</source>
        <translation>ساعة هذا الحاسوب متقدمة على ساعة الفريق بمقدار {span}. لا يضيع شيء بسبب ذلك.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} behind the team&apos;s. Nothing is lost by that.</source>
        <translation>ساعة هذا الحاسوب متأخرة عن ساعة الفريق بمقدار {span}. لا يضيع شيء بسبب ذلك.</translation>
    </message>
    <message>
        <source>a moment</source>
        <translation>لحظة</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take everything in time.</source>
        <translation>لم يقبل خادم الفريق كل شيء في الوقت المناسب.</translation>
    </message>
    <message>
        <source>Check the user and the password.</source>
        <translation>تحقّق من المستخدم وكلمة المرور.</translation>
    </message>
    <message>
        <source>Check the host, and your network.</source>
        <translation>تحقّق من المضيف ومن شبكتك.</translation>
    </message>
    <message>
        <source>Choose the certificate that whoever runs the server gives you. Nothing was sent.</source>
        <translation>اختر الشهادة التي يعطيك إياها من يشغّل الخادم. لم يُرسَل شيء.</translation>
    </message>
    <message>
        <source>Check again later. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>تحقّق من جديد لاحقًا. وإن بقي الأمر كذلك، فقيمة max_connections للخادم صغيرة.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server for room, then check again.</source>
        <translation>اطلب مساحة ممن يشغّل الخادم، ثم تحقّق من جديد.</translation>
    </message>
    <message>
        <source>Check host, port and network, and that the server runs; then check again.</source>
        <translation>تحقّق من المضيف والمنفذ والشبكة ومن أن الخادم يعمل؛ ثم تحقّق من جديد.</translation>
    </message>
    <message>
        <source>The server answers and takes the login.</source>
        <translation>الخادم يستجيب ويقبل حساب الدخول.</translation>
    </message>
    <message>
        <source>create roles (CREATEROLE)</source>
        <translation>إنشاء الأدوار (CREATEROLE)</translation>
    </message>
    <message>
        <source>change the database, which belongs to another login</source>
        <translation>تعديل قاعدة البيانات التي يملكها حساب آخر</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>الإصدار</translation>
    </message>
    <message>
        <source>PostgreSQL {version} is too old. Use a server with 15 or newer.</source>
        <translation>PostgreSQL {version} قديم جدًا. استخدم خادمًا بالإصدار 15 أو أحدث.</translation>
    </message>
    <message>
        <source>PostgreSQL {version}.</source>
        <translation>PostgreSQL {version}.</translation>
    </message>
    <message>
        <source>The connection is encrypted (TLS).</source>
        <translation>الاتصال مشفّر (TLS).</translation>
    </message>
    <message>
        <source>Not encrypted: anybody on the way can read everything.</source>
        <translation>بلا تشفير: يمكن لمن في الوسط قراءة كل شيء.</translation>
    </message>
    <message>
        <source>Empty database</source>
        <translation>قاعدة بيانات فارغة</translation>
    </message>
    <message>
        <source>There is a workspace in this database already. Make a new database, or ask its owner for an invitation.</source>
        <translation>توجد مساحة عمل في قاعدة البيانات هذه بالفعل. أنشئ قاعدة بيانات جديدة، أو اطلب دعوة من مالكها.</translation>
    </message>
    <message numerus="yes">
        <source>It is not empty: there are {count} tables and views in it. A workspace needs a database for itself; make a new one.</source>
        <comment>It is not empty: there is {count} table or view in it. A workspace needs a database for itself; make a new one.</comment>
        <translation>
            <numerusform>ليست فارغة ({count}). تحتاج مساحة العمل إلى قاعدة بيانات خاصة بها؛ أنشئ واحدة جديدة.</numerusform>
            <numerusform>ليست فارغة: فيها جدول أو عرض واحد. تحتاج مساحة العمل إلى قاعدة بيانات خاصة بها؛ أنشئ واحدة جديدة.</numerusform>
            <numerusform>ليست فارغة: فيها جدولان أو عرضان. تحتاج مساحة العمل إلى قاعدة بيانات خاصة بها؛ أنشئ واحدة جديدة.</numerusform>
            <numerusform>ليست فارغة: فيها {count} جداول وعروض. تحتاج مساحة العمل إلى قاعدة بيانات خاصة بها؛ أنشئ واحدة جديدة.</numerusform>
            <numerusform>ليست فارغة: فيها {count} جدولًا وعرضًا. تحتاج مساحة العمل إلى قاعدة بيانات خاصة بها؛ أنشئ واحدة جديدة.</numerusform>
            <numerusform>ليست فارغة: فيها {count} جدول وعرض. تحتاج مساحة العمل إلى قاعدة بيانات خاصة بها؛ أنشئ واحدة جديدة.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database is empty.</source>
        <translation>قاعدة البيانات فارغة.</translation>
    </message>
    <message>
        <source>Rights</source>
        <translation>الصلاحيات</translation>
    </message>
    <message>
        <source>The login may not {lacks}. Use the one that owns the database, with CREATEROLE.</source>
        <translation>لا يحق لحساب الدخول {lacks}. استخدم الذي يملك قاعدة البيانات وله CREATEROLE.</translation>
    </message>
    <message>
        <source>{one} or {other}</source>
        <translation>{one} أو {other}</translation>
    </message>
    <message>
        <source>The login owns the database and may create roles.</source>
        <translation>حساب الدخول يملك قاعدة البيانات ويحق له إنشاء الأدوار.</translation>
    </message>
    <message>
        <source>Changes</source>
        <translation>التغييرات</translation>
    </message>
    <message>
        <source>The server takes no changes: it is a standby, or read-only. Use its primary.</source>
        <translation>لا يقبل الخادم تغييرات: هو احتياطي، أو للقراءة فقط. استخدم خادمه الأساسي.</translation>
    </message>
    <message>
        <source>The database keeps text as {encoding}. Make one with UTF8.</source>
        <translation>تحفظ قاعدة البيانات النص بترميز {encoding}. أنشئ واحدة بترميز UTF8.</translation>
    </message>
    <message>
        <source>The database takes changes, and text in every language.</source>
        <translation>تقبل قاعدة البيانات التغييرات والنصوص بكل اللغات.</translation>
    </message>
    <message>
        <source>Direct connection</source>
        <translation>اتصال مباشر</translation>
    </message>
    <message>
        <source>Notifications do not arrive: this seems to be a pooler. Use the server&apos;s direct port, or session pooling.</source>
        <translation>لا تصل الإشعارات: يبدو أن هذا مجمّع اتصالات. استخدم المنفذ المباشر للخادم، أو التجميع بوضع session.</translation>
    </message>
    <message>
        <source>Notifications arrive.</source>
        <translation>تصل الإشعارات.</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>الاتصالات</translation>
    </message>
    <message>
        <source>The server takes {most} connections; a computer needs up to three while ChatDesk runs.</source>
        <translation>يقبل الخادم {most} من الاتصالات؛ ويحتاج الحاسوب إلى ثلاثة على الأكثر أثناء عمل ChatDesk.</translation>
    </message>
    <message>
        <source>The server takes {most} connections, up to three for each computer.</source>
        <translation>يقبل الخادم {most} من الاتصالات، ثلاثة على الأكثر لكل حاسوب.</translation>
    </message>
    <message>
        <source>[y/N]</source>
        <translation>[ن/لا]</translation>
    </message>
    <message>
        <source>y yes</source>
        <translation>ن نعم</translation>
    </message>
    <message>
        <source>Nobody can be asked here.</source>
        <translation>لا يمكن سؤال أحد هنا.</translation>
    </message>
    <message>
        <source>Add --yes.</source>
        <translation>أضف ‎--yes.</translation>
    </message>
    <message>
        <source>The output could not be written: {strerror}.</source>
        <translation>تعذّرت كتابة المخرجات: {strerror}.</translation>
    </message>
    <message>
        <source>{megabytes} MB</source>
        <translation>{megabytes} م.ب</translation>
    </message>
    <message numerus="yes">
        <source>{count} bytes</source>
        <comment>{count} byte</comment>
        <translation>
            <numerusform>صفر بايت</numerusform>
            <numerusform>بايت واحد</numerusform>
            <numerusform>{count} بايت</numerusform>
            <numerusform>{count} بايت</numerusform>
            <numerusform>{count} بايت</numerusform>
            <numerusform>{count} بايت</numerusform>
        </translation>
    </message>
    <message>
        <source>{about} of {server} failed: {reason}</source>
        <translation>فشل {about} من {server}: {reason}</translation>
    </message>
    <message>
        <source>“{tool}” of {server} was changed by its server after it was offered, so it was not run.</source>
        <translation>غيّر الخادم {server} أداته «{tool}» بعد عرضها، لذا لم تُشغَّل.</translation>
    </message>
    <message>
        <source>Ask again: you are shown it as it is now.</source>
        <translation>اسأل من جديد: ستُعرض عليك كما هي الآن.</translation>
    </message>
    <message>
        <source>Signing in to {server} failed: {reason}</source>
        <translation>فشل تسجيل الدخول إلى {server}: {reason}</translation>
    </message>
    <message>
        <source>It was ended.</source>
        <translation>أُنهي.</translation>
    </message>
    <message>
        <source>{server} cannot be used: {reason}</source>
        <translation>تعذّر استخدام {server}: {reason}</translation>
    </message>
    <message>
        <source>The process for tools could not be started.</source>
        <translation>تعذّر بدء عملية الأدوات.</translation>
    </message>
    <message>
        <source>The process for tools ended.</source>
        <translation>انتهت عملية الأدوات.</translation>
    </message>
    <message>
        <source>The list of prompts</source>
        <translation>قائمة الموجِّهات</translation>
    </message>
    <message>
        <source>The list of resources</source>
        <translation>قائمة الموارد</translation>
    </message>
    <message>
        <source>{about} of {name} is empty.</source>
        <translation>{about} من {name} فارغ.</translation>
    </message>
    <message>
        <source>No tool server was found in this text.</source>
        <translation>لم يُعثر على خادم أدوات في هذا النص.</translation>
    </message>
    <message>
        <source>Paste the whole block, from { to }.</source>
        <translation>ألصق المقطع كله، من { إلى }.</translation>
    </message>
    <message>
        <source>It is described with the older transport (SSE), which ChatDesk does not speak. Ask for its address for streamable HTTP, which often ends with /mcp.</source>
        <translation>وُصف بوسيلة النقل الأقدم (SSE) التي لا يدعمها ChatDesk. اطلب عنوانه الخاص بـ streamable HTTP، وكثيرًا ما ينتهي بـ /mcp.</translation>
    </message>
    <message>
        <source>This text is too long for a description of tool servers.</source>
        <translation>هذا النص أطول من أن يكون وصفًا لخوادم أدوات.</translation>
    </message>
    <message>
        <source>This text is not valid JSON.</source>
        <translation>هذا النص ليس JSON صالحًا.</translation>
    </message>
    <message>
        <source>The permissions of tools could not be saved.</source>
        <translation>تعذّر حفظ أذونات الأدوات.</translation>
    </message>
    <message>
        <source>permissions of tools</source>
        <translation>أذونات الأدوات</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install npm).</source>
        <translation>ثبّت Node.js:‏ https://nodejs.org (على Debian وUbuntu:‏ sudo apt install npm).</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install nodejs).</source>
        <translation>ثبّت Node.js:‏ https://nodejs.org (على Debian وUbuntu:‏ sudo apt install nodejs).</translation>
    </message>
    <message>
        <source>Install Bun: https://bun.sh.</source>
        <translation>ثبّت Bun:‏ https://bun.sh.</translation>
    </message>
    <message>
        <source>Install Deno: https://deno.com.</source>
        <translation>ثبّت Deno:‏ https://deno.com.</translation>
    </message>
    <message>
        <source>Install uv: pipx install uv (or see https://docs.astral.sh/uv).</source>
        <translation>ثبّت uv:‏ pipx install uv (أو راجع https://docs.astral.sh/uv).</translation>
    </message>
    <message>
        <source>Install pipx (on Debian and Ubuntu: sudo apt install pipx).</source>
        <translation>ثبّت pipx (على Debian وUbuntu:‏ sudo apt install pipx).</translation>
    </message>
    <message>
        <source>Install Docker: https://docs.docker.com/get-docker.</source>
        <translation>ثبّت Docker:‏ https://docs.docker.com/get-docker.</translation>
    </message>
    <message>
        <source>Install it, or give its whole path.</source>
        <translation>ثبّته، أو اذكر مساره الكامل.</translation>
    </message>
    <message>
        <source>The program “{name}” was not found.</source>
        <translation>لم يُعثر على البرنامج «{name}».</translation>
    </message>
    <message>
        <source>There is no such folder.</source>
        <translation>لا يوجد مجلّد كهذا.</translation>
    </message>
    <message>
        <source>Choose a folder that exists on this computer.</source>
        <translation>اختر مجلّدًا موجودًا على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>There is no folder {path}.</source>
        <translation>لا يوجد مجلّد {path}.</translation>
    </message>
    <message>
        <source>ChatDesk keeps its own files in {each}, which models must not read.</source>
        <translation>يحفظ ChatDesk ملفاته الخاصة في {each}، ولا يجوز للنماذج قراءتها.</translation>
    </message>
    <message>
        <source>Choose the folder of the project itself.</source>
        <translation>اختر مجلّد المشروع نفسه.</translation>
    </message>
    <message>
        <source>“{label}” is missing.</source>
        <translation>«{label}» مفقود.</translation>
    </message>
    <message>
        <source>“{label}” is not a whole number.</source>
        <translation>«{label}» ليس عددًا صحيحًا.</translation>
    </message>
    <message>
        <source>“{label}” is not a number.</source>
        <translation>«{label}» ليس رقمًا.</translation>
    </message>
    <message>
        <source>“{label}” is at least {least}{unit}.</source>
        <translation>«{label}» هو {least}{unit} على الأقل.</translation>
    </message>
    <message>
        <source>“{label}” is at most {most}{unit}.</source>
        <translation>«{label}» هو {most}{unit} على الأكثر.</translation>
    </message>
    <message>
        <source>an email address</source>
        <translation>عنوان بريد إلكتروني</translation>
    </message>
    <message>
        <source>an address such as https://example.org</source>
        <translation>عنوانًا مثل https://example.org</translation>
    </message>
    <message>
        <source>a date such as 2026-11-24</source>
        <translation>تاريخًا مثل 2026-11-24</translation>
    </message>
    <message>
        <source>a date and time such as 2026-11-24T09:30:00Z</source>
        <translation>تاريخًا ووقتًا مثل 2026-11-24T09:30:00Z</translation>
    </message>
    <message>
        <source>“{label}” is not {words}.</source>
        <translation>«{label}» ليس {words}.</translation>
    </message>
    <message>
        <source>This tool server cannot be used as it is.</source>
        <translation>لا يمكن استخدام خادم الأدوات هذا كما هو.</translation>
    </message>
    <message>
        <source>Correct this and save again.</source>
        <translation>صحّح هذا واحفظ من جديد.</translation>
    </message>
    <message>
        <source>The tool server has no name.</source>
        <translation>ليس لخادم الأدوات اسم.</translation>
    </message>
    <message>
        <source>The tool server has no command.</source>
        <translation>ليس لخادم الأدوات أمر.</translation>
    </message>
    <message>
        <source>The command has a character that no command can have.</source>
        <translation>في الأمر حرف لا يكون في أي أمر.</translation>
    </message>
    <message>
        <source>The address of a tool server begins with https:// or http://.</source>
        <translation>يبدأ عنوان خادم الأدوات بـ https://‎ أو http://‎.</translation>
    </message>
    <message>
        <source>Secrets are sent over https only: anybody on the way could read them.</source>
        <translation>تُرسَل الأسرار عبر https فقط: وإلا أمكن لأي أحد في الطريق قراءتها.</translation>
    </message>
    <message>
        <source>The tool servers could not be saved.</source>
        <translation>تعذّر حفظ خوادم الأدوات.</translation>
    </message>
    <message>
        <source>tool servers</source>
        <translation>خوادم الأدوات</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers were left out: the entry in {file} cannot be used.</source>
        <comment>{count} tool server was left out: the entry in {file} cannot be used.</comment>
        <translation>
            <numerusform>لا خوادم أدوات مستبعدة من {file}.</numerusform>
            <numerusform>استُبعد خادم أدوات واحد: لا يمكن استخدام مُدخله في {file}.</numerusform>
            <numerusform>استُبعد خادما أدوات: لا يمكن استخدام مُدخليهما في {file}.</numerusform>
            <numerusform>استُبعدت {count} خوادم أدوات: لا يمكن استخدام مُدخلاتها في {file}.</numerusform>
            <numerusform>استُبعد {count} خادم أدوات: لا يمكن استخدام مُدخلاتها في {file}.</numerusform>
            <numerusform>استُبعد {count} خادم أدوات: لا يمكن استخدام مُدخلاتها في {file}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers in this data directory may be from somebody else and stay off until you switch them on.</source>
        <comment>{count} tool server in this data directory may be from somebody else and stays off until you switch it on.</comment>
        <translation>
            <numerusform>لا خوادم أدوات من غيرك.</numerusform>
            <numerusform>قد يكون خادم أدوات واحد في دليل البيانات هذا لشخص آخر، ويبقى معطّلًا حتى تشغّله.</numerusform>
            <numerusform>قد يكون خادما أدوات في دليل البيانات هذا لشخص آخر، ويبقيان معطّلين حتى تشغّلهما.</numerusform>
            <numerusform>قد تكون {count} خوادم أدوات في دليل البيانات هذا لشخص آخر، وتبقى معطّلة حتى تشغّلها.</numerusform>
            <numerusform>قد يكون {count} خادم أدوات في دليل البيانات هذا لشخص آخر، وتبقى معطّلة حتى تشغّلها.</numerusform>
            <numerusform>قد يكون {count} خادم أدوات في دليل البيانات هذا لشخص آخر، وتبقى معطّلة حتى تشغّلها.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} other choices for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and do not hold until you choose again.</source>
        <comment>{count} other choice for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and does not hold until you choose again.</comment>
        <translation>
            <numerusform>لا اختيارات أخرى للأدوات في دليل البيانات هذا (مجلّد، خادم من ChatDesk نفسه، محرّك البحث).</numerusform>
            <numerusform>قد يكون اختيار آخر للأدوات في دليل البيانات هذا (مجلّد، خادم من ChatDesk نفسه، محرّك البحث) لشخص آخر، ولا يسري حتى تختار من جديد.</numerusform>
            <numerusform>قد يكون اختياران آخران للأدوات في دليل البيانات هذا (مجلّد، خادم من ChatDesk نفسه، محرّك البحث) لشخص آخر، ولا يسريان حتى تختار من جديد.</numerusform>
            <numerusform>قد تكون {count} اختيارات أخرى للأدوات في دليل البيانات هذا (مجلّد، خادم من ChatDesk نفسه، محرّك البحث) لشخص آخر، ولا تسري حتى تختار من جديد.</numerusform>
            <numerusform>قد يكون {count} اختيارًا آخر للأدوات في دليل البيانات هذا (مجلّد، خادم من ChatDesk نفسه، محرّك البحث) لشخص آخر، ولا يسري حتى تختار من جديد.</numerusform>
            <numerusform>قد يكون {count} اختيار آخر للأدوات في دليل البيانات هذا (مجلّد، خادم من ChatDesk نفسه، محرّك البحث) لشخص آخر، ولا يسري حتى تختار من جديد.</numerusform>
        </translation>
    </message>
    <message>
        <source>The file of tool servers was written by a newer ChatDesk.</source>
        <translation>كُتب ملف خوادم الأدوات بإصدار أحدث من ChatDesk.</translation>
    </message>
    <message>
        <source>What you set up for tools cannot be marked as yours, so the next start would not trust it.</source>
        <translation>لا يمكن تعليم ما أعددته للأدوات على أنه لك، فلن يثق به البدء التالي.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or check your configuration directory, and try again.</source>
        <translation>افتح قفل حلقة المفاتيح، أو تحقّق من دليل الإعدادات، ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>The file of tool servers {path} could not be written.</source>
        <translation>تعذّرت كتابة ملف خوادم الأدوات {path}.</translation>
    </message>
    <message>
        <source>There are {most_servers} tool servers already.</source>
        <translation>يوجد {most_servers} من خوادم الأدوات بالفعل.</translation>
    </message>
    <message>
        <source>{name} comes with ChatDesk.</source>
        <translation>{name} يأتي مع ChatDesk.</translation>
    </message>
    <message>
        <source>Switch it off instead.</source>
        <translation>عطّله بدلًا من ذلك.</translation>
    </message>
    <message>
        <source>The tool took too long.</source>
        <translation>استغرقت الأداة وقتًا أطول مما ينبغي.</translation>
    </message>
    <message>
        <source>The folder {folder} does not exist.</source>
        <translation>المجلّد {folder} غير موجود.</translation>
    </message>
    <message>
        <source>The value of {name} is missing.</source>
        <translation>قيمة {name} مفقودة.</translation>
    </message>
    <message>
        <source>Enter it in Settings, Tools.</source>
        <translation>أدخلها في الإعدادات، الأدوات.</translation>
    </message>
    <message>
        <source>This server cannot be signed in to.</source>
        <translation>لا يمكن تسجيل الدخول إلى هذا الخادم.</translation>
    </message>
    <message>
        <source>Sign in to servers over https.</source>
        <translation>سجّل الدخول إلى الخوادم عبر https.</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>أعد المحاولة لاحقًا.</translation>
    </message>
    <message>
        <source>Check the address in Settings, Tools, or try again later.</source>
        <translation>تحقّق من العنوان في الإعدادات، الأدوات، أو أعد المحاولة لاحقًا.</translation>
    </message>
    <message>
        <source>The key of {label} is missing.</source>
        <translation>مفتاح {label} مفقود.</translation>
    </message>
    <message>
        <source>{server} answered, but not as {label} does.</source>
        <translation>أجاب {server}، لكن ليس كما يجيب {label}.</translation>
    </message>
    <message>
        <source>SearXNG does not answer programs.</source>
        <translation>لا يجيب SearXNG البرامج.</translation>
    </message>
    <message>
        <source>Add json to search.formats in its settings.yml, or choose another.</source>
        <translation>أضف json إلى search.formats في ملف settings.yml الخاص به، أو اختر غيره.</translation>
    </message>
    <message>
        <source>{label} does not take this key.</source>
        <translation>لا يقبل {label} هذا المفتاح.</translation>
    </message>
    <message>
        <source>{label} takes no more searches for now.</source>
        <translation>لا يقبل {label} مزيدًا من عمليات البحث الآن.</translation>
    </message>
    <message>
        <source>Wait, or look at your plan there.</source>
        <translation>انتظر، أو انظر في خطتك هناك.</translation>
    </message>
    <message>
        <source>{label} answered with {status}.</source>
        <translation>أجاب {label} بـ {status}.</translation>
    </message>
    <message>
        <source>The web could not be searched.</source>
        <translation>تعذّر البحث في الويب.</translation>
    </message>
    <message>
        <source>Not encrypted: others on the network could read what is searched for.</source>
        <translation>بلا تشفير: يمكن لآخرين على الشبكة قراءة ما يُبحث عنه.</translation>
    </message>
    <message>
        <source>The web cannot be searched like this.</source>
        <translation>لا يمكن البحث في الويب بهذه الطريقة.</translation>
    </message>
    <message>
        <source>{label} wants a key.</source>
        <translation>يريد {label} مفتاحًا.</translation>
    </message>
    <message>
        <source>Choose one in Settings, Tools.</source>
        <translation>اختر واحدًا في الإعدادات، الأدوات.</translation>
    </message>
    <message>
        <source>There is nothing to search for.</source>
        <translation>لا شيء للبحث عنه.</translation>
    </message>
    <message>
        <source>It found no page about {tried_with}.</source>
        <translation>لم يجد أي صفحة عن {tried_with}.</translation>
    </message>
    <message>
        <source>The address of SearXNG is one like https://searx.example.org.</source>
        <translation>عنوان SearXNG يبدو مثل https://searx.example.org.</translation>
    </message>
    <message>
        <source>The export ended unexpectedly.</source>
        <translation>انتهى التصدير على نحو غير متوقع.</translation>
    </message>
    <message>
        <source>Try again, or another format.</source>
        <translation>أعد المحاولة، أو جرّب صيغة أخرى.</translation>
    </message>
    <message>
        <source>The pages were not finished in time.</source>
        <translation>لم تكتمل الصفحات في الوقت المناسب.</translation>
    </message>
    <message>
        <source>Export as HTML and print that.</source>
        <translation>صدّر بصيغة HTML واطبع ذلك.</translation>
    </message>
    <message>
        <source>The PDF could not be made: {reason}.</source>
        <translation>تعذّر إنشاء ملف PDF:‏ {reason}.</translation>
    </message>
    <message>
        <source>This file contains more chats than can be read at once.</source>
        <translation>في هذا الملف دردشات أكثر مما تمكن قراءته دفعة واحدة.</translation>
    </message>
    <message>
        <source>The CSV file is cut off or damaged.</source>
        <translation>ملف CSV مبتور أو تالف.</translation>
    </message>
    <message>
        <source>Export the chats again, then import that file.</source>
        <translation>صدّر الدردشات من جديد، ثم استورد ذلك الملف.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk to open the zip files in this one.</source>
        <translation>لا يوجد مكان كافٍ على القرص لفتح ملفات zip التي في هذا الملف.</translation>
    </message>
    <message>
        <source>Make room, or unpack it and import the zip file of the conversations alone.</source>
        <translation>أفسح مكانًا، أو فك ضغطه واستورد ملف zip الخاص بالمحادثات وحده.</translation>
    </message>
    <message>
        <source>The zip file is damaged or not complete.</source>
        <translation>ملف zip تالف أو غير كامل.</translation>
    </message>
    <message>
        <source>Download the export again, then import it.</source>
        <translation>نزّل الملف المصدَّر من جديد، ثم استورده.</translation>
    </message>
    <message>
        <source>The zip file claims more files than an export has.</source>
        <translation>يزعم ملف zip أن فيه ملفات أكثر مما في ملف مصدَّر.</translation>
    </message>
    <message>
        <source>The zip file is protected by a password.</source>
        <translation>ملف zip محمي بكلمة مرور.</translation>
    </message>
    <message>
        <source>Unpack it, then import the JSON file in it.</source>
        <translation>فك ضغطه، ثم استورد ملف JSON الذي فيه.</translation>
    </message>
    <message>
        <source>The zip file is packed in a way that exports are not.</source>
        <translation>ملف zip مضغوط بطريقة لا تُستخدم في الملفات المصدَّرة.</translation>
    </message>
    <message>
        <source>The zip file unpacks to far more than an export holds, so it was not opened.</source>
        <translation>يُفك ملف zip إلى أكثر بكثير مما في ملف مصدَّر، لذا لم يُفتح.</translation>
    </message>
    <message>
        <source>This file was written by a newer ChatDesk (format version {version}).</source>
        <translation>كُتب هذا الملف بإصدار أحدث من ChatDesk (إصدار الصيغة {version}).</translation>
    </message>
    <message>
        <source>Update ChatDesk, then import it.</source>
        <translation>حدّث ChatDesk، ثم استورده.</translation>
    </message>
    <message>
        <source>This backup contains more text than can be read at once.</source>
        <translation>في هذه النسخة الاحتياطية نص أكثر مما تمكن قراءته دفعة واحدة.</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>فشلت الإجابة.</translation>
    </message>
    <message>
        <source>Entry {number}</source>
        <translation>المدخل {number}</translation>
    </message>
    <message>
        <source>It contains no messages.</source>
        <translation>لا رسائل فيه.</translation>
    </message>
    <message>
        <source>Entry {number} of {name}</source>
        <translation>المدخل {number} من {name}</translation>
    </message>
    <message>
        <source>“{key}” of {name}</source>
        <translation>«{key}» من {name}</translation>
    </message>
    <message>
        <source>Nothing after it could be read.</source>
        <translation>تعذّرت قراءة أي شيء بعده.</translation>
    </message>
    <message>
        <source>The file is damaged or not complete.</source>
        <translation>الملف تالف أو غير كامل.</translation>
    </message>
    <message>
        <source>The rest of the file could not be read.</source>
        <translation>تعذّرت قراءة بقية الملف.</translation>
    </message>
    <message>
        <source>This file is one conversation that is larger than any export holds.</source>
        <translation>هذا الملف محادثة واحدة أكبر مما يضمه أي ملف مصدَّر.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were here already.</source>
        <comment>{count} thread was here already.</comment>
        <translation>
            <numerusform>لم تكن أي محادثات هنا من قبل.</numerusform>
            <numerusform>كانت محادثة واحدة هنا بالفعل.</numerusform>
            <numerusform>كانت محادثتان هنا بالفعل.</numerusform>
            <numerusform>كانت {count} محادثات هنا بالفعل.</numerusform>
            <numerusform>كانت {count} محادثة هنا بالفعل.</numerusform>
            <numerusform>كانت {count} محادثة هنا بالفعل.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were in the trash and left there.</source>
        <comment>{count} thread was in the trash and left there.</comment>
        <translation>
            <numerusform>لم تكن أي محادثات في سلة المهملات.</numerusform>
            <numerusform>كانت محادثة واحدة في سلة المهملات وتُركت فيها.</numerusform>
            <numerusform>كانت محادثتان في سلة المهملات وتُركتا فيها.</numerusform>
            <numerusform>كانت {count} محادثات في سلة المهملات وتُركت فيها.</numerusform>
            <numerusform>كانت {count} محادثة في سلة المهملات وتُركت فيها.</numerusform>
            <numerusform>كانت {count} محادثة في سلة المهملات وتُركت فيها.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were deleted for good before and left out.</source>
        <comment>{count} thread was deleted for good before and left out.</comment>
        <translation>
            <numerusform>لم تُحذف أي محادثات نهائيًا من قبل.</numerusform>
            <numerusform>حُذفت محادثة واحدة نهائيًا من قبل فتُركت.</numerusform>
            <numerusform>حُذفت محادثتان نهائيًا من قبل فتُركتا.</numerusform>
            <numerusform>حُذفت {count} محادثات نهائيًا من قبل فتُركت.</numerusform>
            <numerusform>حُذفت {count} محادثة نهائيًا من قبل فتُركت.</numerusform>
            <numerusform>حُذفت {count} محادثة نهائيًا من قبل فتُركت.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} entries were skipped.</source>
        <comment>{count} entry was skipped.</comment>
        <translation>
            <numerusform>لم تُتخطَّ أي مدخلات.</numerusform>
            <numerusform>تُخطّي مدخل واحد.</numerusform>
            <numerusform>تُخطّي مدخلان.</numerusform>
            <numerusform>تُخطّيت {count} مدخلات.</numerusform>
            <numerusform>تُخطّي {count} مدخلًا.</numerusform>
            <numerusform>تُخطّي {count} مدخل.</numerusform>
        </translation>
    </message>
    <message>
        <source>There was nothing to import.</source>
        <translation>لم يكن هناك شيء لاستيراده.</translation>
    </message>
    <message>
        <source>The import was stopped. Import the same file again to continue.</source>
        <translation>أُوقف الاستيراد. استورد الملف نفسه من جديد للمتابعة.</translation>
    </message>
    <message numerus="yes">
        <source>{count} new threads</source>
        <comment>{count} new thread</comment>
        <translation>
            <numerusform>لا محادثات جديدة</numerusform>
            <numerusform>محادثة جديدة واحدة</numerusform>
            <numerusform>محادثتان جديدتان</numerusform>
            <numerusform>{count} محادثات جديدة</numerusform>
            <numerusform>{count} محادثة جديدة</numerusform>
            <numerusform>{count} محادثة جديدة</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} with {messages}.</source>
        <translation>كان سيُستورد: {threads} فيها {messages}.</translation>
    </message>
    <message>
        <source>Imported {threads} with {messages}.</source>
        <translation>استُوردت {threads} فيها {messages}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads with new messages</source>
        <comment>{count} thread with new messages</comment>
        <translation>
            <numerusform>لا محادثات فيها رسائل جديدة</numerusform>
            <numerusform>محادثة واحدة فيها رسائل جديدة</numerusform>
            <numerusform>محادثتان فيهما رسائل جديدة</numerusform>
            <numerusform>{count} محادثات فيها رسائل جديدة</numerusform>
            <numerusform>{count} محادثة فيها رسائل جديدة</numerusform>
            <numerusform>{count} محادثة فيها رسائل جديدة</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} and {grown}, {messages} in all.</source>
        <translation>كان سيُستورد: {threads} و{grown}، وفيها كلها {messages}.</translation>
    </message>
    <message>
        <source>Imported {threads} and {grown}, {messages} in all.</source>
        <translation>استُوردت {threads} و{grown}، وفيها كلها {messages}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files that messages name are not in the export.</source>
        <comment>{count} file that messages name is not in the export.</comment>
        <translation>
            <numerusform>لا ملفات ناقصة في الملف المصدَّر.</numerusform>
            <numerusform>ملف واحد تذكره الرسائل ليس في الملف المصدَّر.</numerusform>
            <numerusform>ملفان تذكرهما الرسائل ليسا في الملف المصدَّر.</numerusform>
            <numerusform>{count} ملفات تذكرها الرسائل ليست في الملف المصدَّر.</numerusform>
            <numerusform>{count} ملفًا تذكرها الرسائل ليست في الملف المصدَّر.</numerusform>
            <numerusform>{count} ملف تذكرها الرسائل ليست في الملف المصدَّر.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages that the vendor hides were left out.</source>
        <comment>{count} message that the vendor hides was left out.</comment>
        <translation>
            <numerusform>لم تُترك أي رسائل.</numerusform>
            <numerusform>تُركت رسالة واحدة تخفيها الجهة المزوّدة.</numerusform>
            <numerusform>تُركت رسالتان تخفيهما الجهة المزوّدة.</numerusform>
            <numerusform>تُركت {count} رسائل تخفيها الجهة المزوّدة.</numerusform>
            <numerusform>تُركت {count} رسالة تخفيها الجهة المزوّدة.</numerusform>
            <numerusform>تُركت {count} رسالة تخفيها الجهة المزوّدة.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} marks of sources that the export does not name were left out.</source>
        <comment>{count} mark of a source that the export does not name was left out.</comment>
        <translation>
            <numerusform>لم تُترَك أي علامة مصدر.</numerusform>
            <numerusform>تُركت علامة مصدر واحدة لا يسمّيها التصدير.</numerusform>
            <numerusform>تُركت علامتا مصدر لا يسمّيهما التصدير.</numerusform>
            <numerusform>تُركت {count} علامات لمصادر لا يسمّيها التصدير.</numerusform>
            <numerusform>تُركت {count} علامة لمصادر لا يسمّيها التصدير.</numerusform>
            <numerusform>تُركت {count} علامة لمصادر لا يسمّيها التصدير.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The export contains {count} memories.</source>
        <comment>The export contains {count} memory.</comment>
        <translation>
            <numerusform>لا ذكريات في الملف المصدَّر.</numerusform>
            <numerusform>في الملف المصدَّر ذكرى واحدة.</numerusform>
            <numerusform>في الملف المصدَّر ذكريان.</numerusform>
            <numerusform>في الملف المصدَّر {count} ذكريات.</numerusform>
            <numerusform>في الملف المصدَّر {count} ذكرى.</numerusform>
            <numerusform>في الملف المصدَّر {count} ذكرى.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} more are beyond the most that ChatDesk keeps.</source>
        <comment>{count} more is beyond the most that ChatDesk keeps.</comment>
        <translation>
            <numerusform>لا ذكريات فوق حدّ ما يحفظه ChatDesk.</numerusform>
            <numerusform>توجد ذكرى أخرى فوق حدّ ما يحفظه ChatDesk.</numerusform>
            <numerusform>توجد ذكريان أخريان فوق حدّ ما يحفظه ChatDesk.</numerusform>
            <numerusform>توجد {count} ذكريات أخرى فوق حدّ ما يحفظه ChatDesk.</numerusform>
            <numerusform>توجد {count} ذكرى أخرى فوق حدّ ما يحفظه ChatDesk.</numerusform>
            <numerusform>توجد {count} ذكرى أخرى فوق حدّ ما يحفظه ChatDesk.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} of them are remembered now.</source>
        <comment>{count} of them is remembered now.</comment>
        <translation>
            <numerusform>لم تُحفظ أي منها.</numerusform>
            <numerusform>حُفظت واحدة منها الآن.</numerusform>
            <numerusform>حُفظت اثنتان منها الآن.</numerusform>
            <numerusform>حُفظت {count} منها الآن.</numerusform>
            <numerusform>حُفظت {count} منها الآن.</numerusform>
            <numerusform>حُفظت {count} منها الآن.</numerusform>
        </translation>
    </message>
    <message>
        <source>None was taken: memories are kept only where you choose them.</source>
        <translation>لم تؤخذ أي ذكرى: لا تُحفظ الذكريات إلا حيث تختار ذلك.</translation>
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
        <translation>{outcome}: {title} ({messages}؛ {reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages})</source>
        <translation>{outcome}: {title} ({messages})</translation>
    </message>
    <message>
        <source>It is in the trash. Restore it and import again to have what is new.</source>
        <translation>هي في سلة المهملات. استعدها واستورد من جديد لتحصل على الجديد.</translation>
    </message>
    <message>
        <source>It was deleted for good.</source>
        <translation>حُذفت نهائيًا.</translation>
    </message>
    <message>
        <source>An import is running already.</source>
        <translation>يجري استيراد بالفعل.</translation>
    </message>
    <message>
        <source>Some characters could not be read and are shown as �.</source>
        <translation>تعذّرت قراءة بعض الحروف، وهي تظهر الآن � مكانها.</translation>
    </message>
    <message>
        <source>The virus scanner found something in this file, so it was kept out.</source>
        <translation>عثر فاحص الفيروسات على شيء في هذا الملف، لذا لم يُقبل.</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts were imported, too.</source>
        <comment>{count} prompt was imported, too.</comment>
        <translation>
            <numerusform>لم تُستورد موجِّهات.</numerusform>
            <numerusform>استُورد أيضًا موجِّه واحد.</numerusform>
            <numerusform>استُورد أيضًا موجِّهان.</numerusform>
            <numerusform>استُوردت أيضًا {count} موجِّهات.</numerusform>
            <numerusform>استُورد أيضًا {count} موجِّهًا.</numerusform>
            <numerusform>استُورد أيضًا {count} موجِّه.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts were imported, too.</source>
        <comment>{count} draft was imported, too.</comment>
        <translation>
            <numerusform>لم تُستورد مسودات.</numerusform>
            <numerusform>استُوردت أيضًا مسودة واحدة.</numerusform>
            <numerusform>استُوردت أيضًا مسودتان.</numerusform>
            <numerusform>استُوردت أيضًا {count} مسودات.</numerusform>
            <numerusform>استُوردت أيضًا {count} مسودة.</numerusform>
            <numerusform>استُوردت أيضًا {count} مسودة.</numerusform>
        </translation>
    </message>
    <message>
        <source>What was imported so far is complete. Import the same file again to continue.</source>
        <translation>ما استُورد حتى الآن كامل. استورد الملف نفسه من جديد للمتابعة.</translation>
    </message>
    <message>
        <source>{name} is not a file.</source>
        <translation>{name} ليس ملفًا.</translation>
    </message>
    <message>
        <source>Choose the export itself.</source>
        <translation>اختر الملف المصدَّر نفسه.</translation>
    </message>
    <message>
        <source>This backup contains Cherry Studio&apos;s database as it is, which ChatDesk cannot read.</source>
        <translation>في هذه النسخة الاحتياطية قاعدة بيانات Cherry Studio كما هي، ولا يستطيع ChatDesk قراءتها.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings, Export to Phone, and export to a file.</source>
        <translation>في Cherry Studio افتح Settings ثم Data Settings ثم Export to Phone، وصدّر إلى ملف.</translation>
    </message>
    <message>
        <source>This is a page to be read, not the data of an export.</source>
        <translation>هذه صفحة للقراءة، وليست بيانات تصدير.</translation>
    </message>
    <message>
        <source>Choose the zip file of the export as it came. If it contains only pages, ask for it again with JSON as its format: Google Takeout has a choice for that.</source>
        <translation>اختر ملف zip الخاص بالتصدير كما وصل. وإن لم يكن فيه إلا صفحات، فاطلبه مرة أخرى بتنسيق JSON: يتيح Google Takeout اختيار ذلك.</translation>
    </message>
    <message>
        <source>Choose an export of one of these programs: {programs}.</source>
        <translation>اختر تصديرًا من أحد هذه البرامج: {programs}.</translation>
    </message>
    <message>
        <source>There is nothing in this folder that ChatDesk can import.</source>
        <translation>لا شيء في هذا المجلّد يمكن لـ ChatDesk استيراده.</translation>
    </message>
    <message>
        <source>There is nothing in this file that ChatDesk can import.</source>
        <translation>لا شيء في هذا الملف يمكن لـ ChatDesk استيراده.</translation>
    </message>
    <message>
        <source>This file is not an export that ChatDesk knows.</source>
        <translation>هذا الملف ليس ملفًا مصدَّرًا يعرفه ChatDesk.</translation>
    </message>
    <message>
        <source>{name} is cut off: its end is missing.</source>
        <translation>{name} مبتور: نهايته مفقودة.</translation>
    </message>
    <message>
        <source>{name} could not be read: {reason}.</source>
        <translation>تعذّرت قراءة {name}:‏ {reason}.</translation>
    </message>
    <message>
        <source>Check the file.</source>
        <translation>تحقّق من الملف.</translation>
    </message>
    <message>
        <source>This folder contains far more files than a program&apos;s chats would have.</source>
        <translation>في هذا المجلّد ملفات أكثر بكثير من دردشات برنامج.</translation>
    </message>
    <message>
        <source>Choose the folder of the chats.</source>
        <translation>اختر مجلّد الدردشات.</translation>
    </message>
    <message>
        <source>The page of releases does not say which version is the newest.</source>
        <translation>لا تذكر صفحة الإصدارات أيّ إصدار هو الأحدث.</translation>
    </message>
    <message>
        <source>Installed from a package: the updates of this computer bring new versions, such as “apt upgrade”.</source>
        <translation>مثبّت من حزمة: تحديثات هذا الحاسوب تجلب الإصدارات الجديدة، مثل «apt upgrade».</translation>
    </message>
    <message>
        <source>Installed as a Flatpak: the updates of this computer bring new versions, or “flatpak update”.</source>
        <translation>مثبّت بصيغة Flatpak: تحديثات هذا الحاسوب تجلب الإصدارات الجديدة، أو «flatpak update».</translation>
    </message>
    <message>
        <source>Installed as a snap: the system brings new versions by itself.</source>
        <translation>مثبّت بصيغة snap: يجلب النظام الإصدارات الجديدة من تلقاء نفسه.</translation>
    </message>
    <message>
        <source>Installed with pipx: “pipx upgrade chatdesk” brings a new version.</source>
        <translation>مثبّت بـ pipx: الأمر «pipx upgrade chatdesk» يجلب إصدارًا جديدًا.</translation>
    </message>
    <message>
        <source>Installed with pip: “pip install --upgrade chatdesk” brings a new version.</source>
        <translation>مثبّت بـ pip: الأمر «pip install --upgrade chatdesk» يجلب إصدارًا جديدًا.</translation>
    </message>
    <message>
        <source>A checkout: “git pull” brings a new version.</source>
        <translation>نسخة من المستودع: الأمر «git pull» يجلب إصدارًا جديدًا.</translation>
    </message>
    <message>
        <source>The portable program: start a newer .run file once to put a new version in its place.</source>
        <translation>البرنامج المحمول: شغّل ملف ‎.run أحدث مرة واحدة ليحلّ إصدار جديد محلّه.</translation>
    </message>
    <message>
        <source>This copy does not update itself: unpack a newer one in its place.</source>
        <translation>هذه النسخة لا تحدّث نفسها: فُكّ ضغط نسخة أحدث مكانها.</translation>
    </message>
    <message>
        <source>January</source>
        <translation>يناير</translation>
    </message>
    <message>
        <source>February</source>
        <translation>فبراير</translation>
    </message>
    <message>
        <source>March</source>
        <translation>مارس</translation>
    </message>
    <message>
        <source>April</source>
        <translation>أبريل</translation>
    </message>
    <message>
        <source>May</source>
        <translation>مايو</translation>
    </message>
    <message>
        <source>June</source>
        <translation>يونيو</translation>
    </message>
    <message>
        <source>July</source>
        <translation>يوليو</translation>
    </message>
    <message>
        <source>August</source>
        <translation>أغسطس</translation>
    </message>
    <message>
        <source>September</source>
        <translation>سبتمبر</translation>
    </message>
    <message>
        <source>October</source>
        <translation>أكتوبر</translation>
    </message>
    <message>
        <source>November</source>
        <translation>نوفمبر</translation>
    </message>
    <message>
        <source>December</source>
        <translation>ديسمبر</translation>
    </message>
    <message>
        <source>There may be {most_limits} limits, one of a kind for each period.</source>
        <translation>قد توجد {most_limits} من الحدود، واحد من كل نوع لكل مدة.</translation>
    </message>
    <message>
        <source>The old limits hold on.</source>
        <translation>تبقى الحدود القديمة سارية.</translation>
    </message>
    <message>
        <source>Remove one of them.</source>
        <translation>أزل واحدًا منها.</translation>
    </message>
    <message>
        <source>The warning at {amount} {name} is passed: with this question it is about {spent}.</source>
        <translation>تجاوزتَ التحذير عند {amount} {name}: مع هذا السؤال يبلغ المستخدَم نحو {spent}.</translation>
    </message>
    <message>
        <source>Nothing is sent beyond {amount}.</source>
        <translation>لا يُرسَل شيء بعد {amount}.</translation>
    </message>
    <message>
        <source>Titles and summaries wait.</source>
        <translation>العناوين والملخّصات تنتظر.</translation>
    </message>
    <message>
        <source>A limit must be a number from 0 on.</source>
        <translation>يجب أن يكون الحدّ رقمًا من ٠ فصاعدًا.</translation>
    </message>
    <message>
        <source>Correct the number.</source>
        <translation>صحّح الرقم.</translation>
    </message>
    <message>
        <source>The warning {name} is above its stop.</source>
        <translation>التحذير {name} أعلى من حدّ إيقافه.</translation>
    </message>
    <message>
        <source>The limit starts again {end}. Raise it, or send this question anyway.</source>
        <translation>يبدأ الحدّ من جديد {end}. ارفعه، أو أرسل هذا السؤال على أي حال.</translation>
    </message>
    <message>
        <source>Give the warning a smaller number.</source>
        <translation>أعطِ التحذير رقمًا أصغر.</translation>
    </message>
    <message>
        <source>tomorrow</source>
        <translation>غدًا</translation>
    </message>
    <message>
        <source>on {day} {month}</source>
        <translation>في {day} {month}</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used.</source>
        <translation>بُلغ الحدّ {amount} {name}: المستخدَم {spent}.</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used and this question needs about {needed}.</source>
        <translation>بُلغ الحدّ {amount} {name}: المستخدَم {spent}، ويحتاج هذا السؤال إلى نحو {needed}.</translation>
    </message>
    <message>
        <source>I am the **demo model** that comes with ChatDesk. I cannot work on this, but a model that you connect can.</source>
        <translation>أنا **النموذج التجريبي** المرفق مع ChatDesk. لا أستطيع العمل على هذا، لكن النموذج الذي تصله يستطيع.</translation>
    </message>
    <message>
        <source>This is where a real model would answer. I am the **demo model**: I need no network, and I know nothing.</source>
        <translation>هنا يجيب نموذج حقيقي. أنا **النموذج التجريبي**: لا أحتاج إلى شبكة ولا أعرف شيئًا.</translation>
    </message>
    <message>
        <source>A good question for a real model! I am the **demo model** and can only show what ChatDesk does.</source>
        <translation>سؤال جيد لنموذج حقيقي! أنا **النموذج التجريبي** ولا أستطيع إلا أن أعرض ما يفعله ChatDesk.</translation>
    </message>
    <message>
        <source>I am the **demo model** and cannot work on this. Here is how ChatDesk shows such an answer:</source>
        <translation>أنا **النموذج التجريبي** ولا أستطيع العمل على هذا. هكذا يعرض ChatDesk مثل هذه الإجابة:</translation>
    </message>
    <message>
        <source>A real model would answer here. This is what its answer could look like:</source>
        <translation>هنا يجيب نموذج حقيقي. هكذا قد تبدو إجابته:</translation>
    </message>
    <message>
        <source>I know nothing, but I can show you how such an answer looks in ChatDesk:</source>
        <translation>لا أعرف شيئًا، لكني أستطيع أن أريك كيف تبدو مثل هذه الإجابة في ChatDesk:</translation>
    </message>
    <message>
        <source>This was the **demo model**, which comes with ChatDesk. To get real answers choose *Add provider…* in the list of models at the top. `/demo` lists what else I can show.</source>
        <translation>كان هذا **النموذج التجريبي** المرفق مع ChatDesk. للحصول على إجابات حقيقية اختر *إضافة مزوّد…* في قائمة النماذج بالأعلى. يسرد `/demo` ما أستطيع عرضه أيضًا.</translation>
    </message>
    <message>
        <source>Hello!</source>
        <translation>مرحبًا!</translation>
    </message>
    <message>
        <source>Try one of these with me:</source>
        <translation>جرّب معي أحد هذه:</translation>
    </message>
    <message>
        <source>To get real answers choose *Add provider…* in the list of models at the top.</source>
        <translation>للحصول على إجابات حقيقية اختر *إضافة مزوّد…* في قائمة النماذج بالأعلى.</translation>
    </message>
    <message>
        <source>Ask for</source>
        <translation>اطلب</translation>
    </message>
    <message>
        <source>and see</source>
        <translation>لترى</translation>
    </message>
    <message>
        <source>*a tour*</source>
        <translation>*جولة*</translation>
    </message>
    <message>
        <source>what ChatDesk can do</source>
        <translation>ما يستطيع ChatDesk فعله</translation>
    </message>
    <message>
        <source>*code*, *a table*, *a formula*, *a plan*</source>
        <translation>*كود*، *جدول*، *معادلة*، *خطة*</translation>
    </message>
    <message>
        <source>how an answer is drawn</source>
        <translation>كيف تُرسم الإجابة</translation>
    </message>
    <message>
        <source>a long answer, to scroll and to stop</source>
        <translation>إجابة طويلة، للتمرير والإيقاف</translation>
    </message>
    <message>
        <source>what happens when a connection breaks</source>
        <translation>ما يحدث حين ينقطع الاتصال</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>كل ما عدا ذلك</translation>
    </message>
    <message>
        <source>I am the **demo model**. I come with ChatDesk, need no network and no account, and know nothing; but I can show you what ChatDesk does with the answers of a real model.</source>
        <translation>أنا **النموذج التجريبي**. آتي مع ChatDesk، ولا أحتاج إلى شبكة ولا حساب، ولا أعرف شيئًا؛ لكني أستطيع أن أريك ما يفعله ChatDesk بإجابات نموذج حقيقي.</translation>
    </message>
    <message>
        <source>What you can do</source>
        <translation>ما يمكنك فعله</translation>
    </message>
    <message>
        <source>How</source>
        <translation>كيف</translation>
    </message>
    <message>
        <source>Ask again, or another model</source>
        <translation>السؤال من جديد، أو سؤال نموذج آخر</translation>
    </message>
    <message>
        <source>the buttons below an answer, or Ctrl+R</source>
        <translation>الأزرار أسفل الإجابة، أو Ctrl+R</translation>
    </message>
    <message>
        <source>Change a question</source>
        <translation>تغيير سؤال</translation>
    </message>
    <message>
        <source>its pencil; the old version stays</source>
        <translation>القلم الخاص به؛ وتبقى النسخة القديمة</translation>
    </message>
    <message>
        <source>Try another direction</source>
        <translation>تجربة اتجاه آخر</translation>
    </message>
    <message>
        <source>*Branch* in the menu of a message</source>
        <translation>*تفريع إلى محادثة جديدة* في قائمة الرسالة</translation>
    </message>
    <message>
        <source>Ask several models at once</source>
        <translation>سؤال عدة نماذج معًا</translation>
    </message>
    <message>
        <source>*Compare models…* in the list of models</source>
        <translation>*مقارنة النماذج…* في قائمة النماذج</translation>
    </message>
    <message>
        <source>Attach a file or a picture</source>
        <translation>إرفاق ملف أو صورة</translation>
    </message>
    <message>
        <source>drop it on the window, or paste it</source>
        <translation>أفلِته على النافذة أو الصقه</translation>
    </message>
    <message>
        <source>Stop an answer</source>
        <translation>إيقاف إجابة</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>**Ctrl+K** finds every word of every thread, **Ctrl+Shift+P** every command, and **F1** opens the help.</source>
        <translation>يجد **Ctrl+K** كل كلمة في كل محادثة، و **Ctrl+Shift+P** كل أمر، ويفتح **F1** المساعدة.</translation>
    </message>
    <message>
        <source>Projects, tags, pins and an archive keep order; what was deleted waits in the trash.</source>
        <translation>المشاريع والوسوم والتثبيت والأرشيف تحفظ النظام؛ وما حُذف ينتظر في سلة المهملات.</translation>
    </message>
    <message>
        <source>Everything is on this computer. *Import…* takes over what you have in ChatGPT, Claude and others.</source>
        <translation>كل شيء على هذا الجهاز. يجلب *استيراد…* ما لديك في ChatGPT و Claude وغيرهما.</translation>
    </message>
    <message>
        <source>The window closes at any time: no word is lost, and an answer can be continued.</source>
        <translation>يمكن إغلاق النافذة في أي وقت: لا تضيع كلمة، ويمكن متابعة الإجابة.</translation>
    </message>
    <message>
        <source>Choose *Add provider…* in the list of models at the top, and paste a key.</source>
        <translation>اختر *إضافة مزوّد…* في قائمة النماذج بالأعلى، ثم الصق مفتاحًا.</translation>
    </message>
    <message>
        <source>Or start a server on this computer, such as Ollama: it is found by itself.</source>
        <translation>أو شغّل خادمًا على هذا الجهاز، مثل Ollama: يُعثر عليه تلقائيًّا.</translation>
    </message>
    <message>
        <source>Type `/demo` to see what else I can show.</source>
        <translation>اكتب `/demo` لترى ما أستطيع عرضه أيضًا.</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>الإجابات</translation>
    </message>
    <message>
        <source>Code has colours, a button to copy it, and scrolls on its own:</source>
        <translation>للكود ألوان وزر لنسخه، ويُمرَّر وحده:</translation>
    </message>
    <message>
        <source>Formulas are drawn, {formula}, and tables are tables:</source>
        <translation>تُرسم المعادلات، {formula}، والجداول جداول:</translation>
    </message>
    <message>
        <source>Your threads</source>
        <translation>محادثاتك</translation>
    </message>
    <message>
        <source>Next</source>
        <comment>steps</comment>
        <translation>التالي</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>الأدوات</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>التضمينات</translation>
    </message>
    <message>
        <source>Week of {words}</source>
        <translation>أسبوع {words}</translation>
    </message>
    <message>
        <source>The server&apos;s own model</source>
        <translation>النموذج الخاص بالخادم</translation>
    </message>
    <message>
        <source>A project that is gone</source>
        <translation>مشروع لم يعد موجودًا</translation>
    </message>
    <message>
        <source>No project</source>
        <translation>بلا مشروع</translation>
    </message>
    <message>
        <source>There is no such token.</source>
        <translation>لا يوجد رمز وصول كهذا.</translation>
    </message>
    <message>
        <source>&apos;chatdesk tokens list&apos; shows them all.</source>
        <translation>الأمر &apos;chatdesk tokens list&apos; يعرضها كلها.</translation>
    </message>
    <message>
        <source>A token needs a name.</source>
        <translation>يحتاج رمز الوصول إلى اسم.</translation>
    </message>
    <message>
        <source>Give it the name of the program that will use it.</source>
        <translation>أعطه اسم البرنامج الذي سيستخدمه.</translation>
    </message>
    <message>
        <source>There is already a token called “{name}”.</source>
        <translation>يوجد بالفعل رمز وصول باسم «{name}».</translation>
    </message>
    <message>
        <source>The folder of the tokens, {folder}, cannot be written to: {reason}.</source>
        <translation>تتعذّر الكتابة في مجلّد رموز الوصول {folder}: {reason}.</translation>
    </message>
    <message>
        <source>Make it writable; on Linux XDG_STATE_HOME may name another place, here and for the service.</source>
        <translation>اجعله قابلًا للكتابة؛ وعلى Linux يمكن أن يحدّد XDG_STATE_HOME مكانًا آخر، هنا وللخدمة.</translation>
    </message>
    <message>
        <source>owner</source>
        <comment>data directory</comment>
        <translation>المستخدِم الحالي</translation>
    </message>
    <message>
        <source>complete</source>
        <translation>مكتملة</translation>
    </message>
    <message>
        <source>database</source>
        <translation>قاعدة البيانات</translation>
    </message>
    <message>
        <source>settings</source>
        <translation>الإعدادات</translation>
    </message>
    <message>
        <source>valid</source>
        <translation>صالح</translation>
    </message>
    <message>
        <source>{key} (on, {until})</source>
        <translation>{key} (مفعّل، {until})</translation>
    </message>
    <message>
        <source>{key} (off, {until})</source>
        <translation>{key} (معطّل، {until})</translation>
    </message>
    <message>
        <source>valid; tried out until the day given: {trials}</source>
        <translation>صالحة؛ قيد التجربة حتى اليوم المذكور: {trials}</translation>
    </message>
    <message>
        <source>{path} (made when the first thread is)</source>
        <translation>{path} (يُنشأ مع أول محادثة)</translation>
    </message>
    <message>
        <source>Restore a backup (&apos;chatdesk restore --list&apos;; they are in {backup_dir}), or copy out what reads with &apos;chatdesk doctor --repair&apos;.</source>
        <translation>استعد نسخة احتياطية (&apos;chatdesk restore --list&apos;؛ وهي في {backup_dir})، أو انسخ ما تمكن قراءته باستخدام &apos;chatdesk doctor --repair&apos;.</translation>
    </message>
    <message>
        <source>&apos;chatdesk doctor --repair&apos; repairs it.</source>
        <translation>يصلحها &apos;chatdesk doctor --repair&apos;.</translation>
    </message>
    <message numerus="yes">
        <source>{path} is damaged ({count} findings: {first}).</source>
        <comment>{path} is damaged ({count} finding: {first}).</comment>
        <translation>
            <numerusform>{path} تالف ({count}: {first}).</numerusform>
            <numerusform>{path} تالف ({count}: {first}).</numerusform>
            <numerusform>{path} تالف ({count}: {first}).</numerusform>
            <numerusform>{path} تالف ({count}: {first}).</numerusform>
            <numerusform>{path} تالف ({count}: {first}).</numerusform>
            <numerusform>{path} تالف ({count}: {first}).</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is sound; schema {schema}, SQLite {sqlite}</source>
        <translation>{path} سليم؛ المخطط {schema}، SQLite {sqlite}</translation>
    </message>
    <message>
        <source>database opening</source>
        <translation>فتح قاعدة البيانات</translation>
    </message>
    <message>
        <source>database writing</source>
        <translation>الكتابة في قاعدة البيانات</translation>
    </message>
    <message>
        <source>workspace {name}</source>
        <translation>مساحة العمل {name}</translation>
    </message>
    <message>
        <source>{database} on {host}; parked: this profile was restored or repaired, or a copy of it is in use; Connect again in Settings, Team sync, or &apos;chatdesk team join&apos; connects</source>
        <translation>{database} على {host}؛ موقوفة: استُعيد هذا الملف الشخصي أو أُصلح، أو تُستعمل نسخة منه؛ يتصل بها «الاتصال من جديد» في الإعدادات، مزامنة الفريق، أو &apos;chatdesk team join&apos;</translation>
    </message>
    <message>
        <source>{shared} shared, {waiting} waiting to be sent, {refused} refused</source>
        <translation>{shared} مشتركة، {waiting} تنتظر الإرسال، {refused} مرفوضة</translation>
    </message>
    <message>
        <source>nothing was synced yet</source>
        <translation>لم يُزامَن شيء بعد</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {problem}</source>
        <translation>أحدث سطر في سجلها، {at}: {problem}</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {sent} sent, {received} received</source>
        <translation>أحدث سطر في سجلها، {at}: أُرسل {sent}، واستُلم {received}</translation>
    </message>
    <message>
        <source>Details in the line below the threads says why, copies out, and tries again</source>
        <translation>«التفاصيل…» في السطر أسفل المحادثات تذكر السبب وتنسخ وتعيد المحاولة</translation>
    </message>
    <message>
        <source>{let_in} shared with you again; choose Share… to send their copies</source>
        <translation>{let_in} مشتركة معك من جديد؛ اختر «مشاركة…» لإرسال نسخها</translation>
    </message>
    <message>
        <source>{first}; {rest}</source>
        <translation>{first}؛ {rest}</translation>
    </message>
    <message>
        <source>provider {name}</source>
        <translation>المزوّد {name}</translation>
    </message>
    <message>
        <source>file of providers</source>
        <translation>ملف المزوّدين</translation>
    </message>
    <message>
        <source>there is none yet</source>
        <translation>لا يوجد بعد</translation>
    </message>
    <message>
        <source>A backup in {backup_dir} may still have the original.</source>
        <translation>قد يوجد في نسخة احتياطية في {backup_dir} كما كان.</translation>
    </message>
    <message>
        <source>no window is open and no other command is running</source>
        <translation>لا نافذة مفتوحة ولا أمر آخر يعمل</translation>
    </message>
    <message>
        <source>a window</source>
        <translation>نافذة</translation>
    </message>
    <message>
        <source>{name}, process {pid}</source>
        <translation>{name}، العملية {pid}</translation>
    </message>
    <message>
        <source>{who}, does not answer. If it hangs, end it.</source>
        <translation>{who}، لا يجيب. إن كان معلّقًا، فأنهه.</translation>
    </message>
    <message>
        <source>{count} {status}</source>
        <translation>{count} {status}</translation>
    </message>
    <message>
        <source>{who}, open for {minutes} min; {late} ms late at most; answers: {answers}; {waiting} waiting.</source>
        <translation>{who}، مفتوحة منذ {minutes} د؛ أقصى تأخّر {late} م.ث؛ الإجابات: {answers}؛ {waiting} في الانتظار.</translation>
    </message>
    <message>
        <source>Its database cannot be read ({reason}).</source>
        <translation>لا تمكن قراءة قاعدة بياناته ({reason}).</translation>
    </message>
    <message>
        <source>the last write failed</source>
        <translation>فشلت آخر كتابة</translation>
    </message>
    <message>
        <source>It cannot save ({reason}).</source>
        <translation>لا يستطيع الحفظ ({reason}).</translation>
    </message>
    <message>
        <source>It reacts late.</source>
        <translation>يستجيب متأخرًا.</translation>
    </message>
    <message>
        <source>Provider {id} cannot be reached.</source>
        <translation>يتعذّر الوصول إلى المزوّد {id}.</translation>
    </message>
    <message>
        <source>Workspace {workspace}: {reason}.</source>
        <translation>مساحة العمل {workspace}:‏ {reason}.</translation>
    </message>
    <message>
        <source>keyring</source>
        <translation>حلقة المفاتيح</translation>
    </message>
    <message>
        <source>{detail} Keys come from variables or an encrypted file, or hold for one run.</source>
        <translation>{detail} تأتي المفاتيح من متغيّرات أو ملف مشفّر، أو تبقى لتشغيل واحد.</translation>
    </message>
    <message>
        <source>{missing} missing or damaged: token counts are estimates.</source>
        <translation>{missing} مفقود أو تالف: أعداد الرموز تقديرية.</translation>
    </message>
    <message>
        <source>token encodings</source>
        <translation>ترميزات الرموز</translation>
    </message>
    <message>
        <source>both here and intact</source>
        <translation>كلاهما موجود وسليم</translation>
    </message>
    <message>
        <source>updates</source>
        <translation>التحديثات</translation>
    </message>
    <message>
        <source>Another process has this data directory open.</source>
        <translation>عملية أخرى تفتح دليل البيانات هذا.</translation>
    </message>
    <message>
        <source>Restore in its window.</source>
        <translation>استعد في نافذته.</translation>
    </message>
    <message>
        <source>The model did not answer within {longest_s} s.</source>
        <translation>لم يُجب النموذج خلال {longest_s} ث.</translation>
    </message>
    <message>
        <source>Read projects, threads and messages</source>
        <translation>قراءة المشاريع والمحادثات والرسائل</translation>
    </message>
    <message>
        <source>Create, change and trash threads and messages; write notes</source>
        <translation>إنشاء المحادثات والرسائل وتغييرها ونقلها إلى سلة المهملات؛ وكتابة الملاحظات</translation>
    </message>
    <message>
        <source>Ask questions and stop answers</source>
        <translation>طرح الأسئلة وإيقاف الإجابات</translation>
    </message>
    <message>
        <source>Administer ChatDesk</source>
        <translation>إدارة ChatDesk</translation>
    </message>
    <message>
        <source>Connect from another computer</source>
        <translation>الاتصال من حاسوب آخر</translation>
    </message>
    <message>
        <source>The local service is off.</source>
        <translation>الخدمة المحلية متوقفة.</translation>
    </message>
    <message>
        <source>Turn it on in the settings.</source>
        <translation>شغّلها في الإعدادات.</translation>
    </message>
    <message>
        <source>Close it first, or choose another --data-dir.</source>
        <translation>أغلقه أولًا، أو اختر ‎--data-dir آخر.</translation>
    </message>
    <message>
        <source>The local service ended because of a fault in ChatDesk.</source>
        <translation>انتهت الخدمة المحلية بسبب خلل في ChatDesk.</translation>
    </message>
    <message>
        <source>Try again; the log says more.</source>
        <translation>أعد المحاولة؛ وفي السجل المزيد.</translation>
    </message>
    <message>
        <source>You: {question}</source>
        <translation>أنت: {question}</translation>
    </message>
    <message>
        <source>Status: {status}. Thread: {id}.</source>
        <translation>الحالة: {status}. المحادثة: {id}.</translation>
    </message>
    <message>
        <source>Screenshot: {path}</source>
        <translation>لقطة الشاشة: {path}</translation>
    </message>
    <message>
        <source>Screenshot: could not be saved</source>
        <translation>لقطة الشاشة: تعذّر حفظها</translation>
    </message>
    <message>
        <source>Something failed that ChatDesk needs to start.</source>
        <translation>فشل شيء يحتاج إليه ChatDesk ليبدأ.</translation>
    </message>
    <message>
        <source>Start it again; “chatdesk doctor” and the log say more.</source>
        <translation>شغّله من جديد؛ وفي «chatdesk doctor» والسجل المزيد.</translation>
    </message>
    <message>
        <source>Not saved</source>
        <translation>لم يُحفظ</translation>
    </message>
    <message>
        <source>All changes saved</source>
        <translation>كل التغييرات محفوظة</translation>
    </message>
    <message>
        <source>Not opened</source>
        <translation>لم تُفتح</translation>
    </message>
    <message>
        <source>Read only</source>
        <translation>للقراءة فقط</translation>
    </message>
    <message>
        <source>The database was upgraded; a backup of the old one is kept.</source>
        <translation>رُقّيت قاعدة البيانات؛ وتُحفظ نسخة احتياطية من القديمة.</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers were interrupted last time. The text is kept; Continue goes on.</source>
        <comment>An answer was interrupted last time. The text is kept; Continue goes on.</comment>
        <translation>
            <numerusform>لم تُقطع أي إجابات في المرة السابقة.</numerusform>
            <numerusform>قُطعت إجابة في المرة السابقة. النص محفوظ؛ وزر متابعة يكملها.</numerusform>
            <numerusform>قُطعت إجابتان في المرة السابقة. النص محفوظ؛ وزر متابعة يكملهما.</numerusform>
            <numerusform>قُطعت {count} إجابات في المرة السابقة. النص محفوظ؛ وزر متابعة يكملها.</numerusform>
            <numerusform>قُطعت {count} إجابة في المرة السابقة. النص محفوظ؛ وزر متابعة يكملها.</numerusform>
            <numerusform>قُطعت {count} إجابة في المرة السابقة. النص محفوظ؛ وزر متابعة يكملها.</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly last time. Your messages are kept.</source>
        <translation>انتهى ChatDesk في المرة السابقة على نحو غير متوقع. رسائلك محفوظة.</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>المساعدة</translation>
    </message>
    <message>
        <source>The pages of help are not in this installation of ChatDesk.</source>
        <translation>صفحات المساعدة ليست في تثبيت ChatDesk هذا.</translation>
    </message>
    <message>
        <source>The pages of help open outside of ChatDesk. They are in {page}.</source>
        <translation>تُفتح صفحات المساعدة خارج ChatDesk، وهي في {page}.</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>حفظ التقرير</translation>
    </message>
    <message>
        <source>Zip (*.zip)</source>
        <translation>Zip (*.zip)</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>حُفظ باسم {name}.</translation>
    </message>
    <message>
        <source>{one} and {other}</source>
        <translation>{one} و{other}</translation>
    </message>
    <message>
        <source>No connection to {providers}. Your questions are kept.</source>
        <translation>لا اتصال بـ {providers}. أسئلتك محفوظة.</translation>
    </message>
    <message numerus="yes">
        <source>No connection to {providers}. {count} questions are kept, and sent when it is back.</source>
        <comment>No connection to {providers}. Your question is kept, and sent when it is back.</comment>
        <translation>
            <numerusform>لا اتصال بـ {providers}. لا أسئلة تنتظر.</numerusform>
            <numerusform>لا اتصال بـ {providers}. سؤالك محفوظ، ويُرسَل عند عودته.</numerusform>
            <numerusform>لا اتصال بـ {providers}. سؤالاك محفوظان، ويُرسَلان عند عودته.</numerusform>
            <numerusform>لا اتصال بـ {providers}. {count} أسئلة محفوظة، وتُرسَل عند عودته.</numerusform>
            <numerusform>لا اتصال بـ {providers}. {count} سؤالًا محفوظة، وتُرسَل عند عودته.</numerusform>
            <numerusform>لا اتصال بـ {providers}. {count} سؤال محفوظة، وتُرسَل عند عودته.</numerusform>
        </translation>
    </message>
    <message>
        <source>Close a window first: {count} are open.</source>
        <translation>أغلق نافذة أولًا: المفتوح {count}.</translation>
    </message>
    <message>
        <source>A temporary chat stays in its place. Keep it to open it elsewhere.</source>
        <translation>تبقى الدردشة المؤقتة في مكانها. احتفظ بها لتفتحها في مكان آخر.</translation>
    </message>
    <message>
        <source>My message is in the attached file, because it is too long to be sent whole.</source>
        <translation>رسالتي في الملف المرفق، لأنها أطول من أن تُرسَل كاملة.</translation>
    </message>
    <message>
        <source>Sent as a file, from which the model gets what fits</source>
        <translation>يُرسَل ملفًا، ويحصل النموذج منه على ما يتسع له المكان</translation>
    </message>
    <message>
        <source>Type a message</source>
        <translation>اكتب رسالة</translation>
    </message>
    <message>
        <source>New thread</source>
        <translation>محادثة جديدة</translation>
    </message>
    <message>
        <source>New temporary chat</source>
        <translation>دردشة مؤقتة جديدة</translation>
    </message>
    <message>
        <source>Keep this temporary chat</source>
        <translation>الاحتفاظ بهذه الدردشة المؤقتة</translation>
    </message>
    <message>
        <source>Close the temporary chat</source>
        <translation>إغلاق الدردشة المؤقتة</translation>
    </message>
    <message>
        <source>Rename thread</source>
        <translation>إعادة تسمية المحادثة</translation>
    </message>
    <message>
        <source>Pin or unpin thread</source>
        <translation>تثبيت المحادثة أو إلغاء تثبيتها</translation>
    </message>
    <message>
        <source>Mark as read</source>
        <translation>تعليم كمقروءة</translation>
    </message>
    <message>
        <source>Archive thread, or take it out</source>
        <translation>أرشفة المحادثة أو إخراجها</translation>
    </message>
    <message>
        <source>Move to a project…</source>
        <translation>نقل إلى مشروع…</translation>
    </message>
    <message>
        <source>Tags of the thread…</source>
        <translation>وسوم المحادثة…</translation>
    </message>
    <message>
        <source>Restore from the trash</source>
        <translation>استعادة من سلة المهملات</translation>
    </message>
    <message>
        <source>Mark all threads of the list</source>
        <translation>تحديد كل محادثات القائمة</translation>
    </message>
    <message>
        <source>Ctrl+A in the list</source>
        <translation>Ctrl+A في القائمة</translation>
    </message>
    <message>
        <source>System prompt…</source>
        <translation>موجِّه النظام…</translation>
    </message>
    <message>
        <source>Choose the model…</source>
        <translation>اختيار النموذج…</translation>
    </message>
    <message>
        <source>Parameters…</source>
        <translation>المعاملات…</translation>
    </message>
    <message>
        <source>Copy thread</source>
        <translation>نسخ المحادثة</translation>
    </message>
    <message>
        <source>Copy link to the thread</source>
        <translation>نسخ رابط المحادثة</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>تصدير…</translation>
    </message>
    <message>
        <source>Export thread as Markdown…</source>
        <translation>تصدير المحادثة بصيغة Markdown…</translation>
    </message>
    <message>
        <source>Export thread as JSON…</source>
        <translation>تصدير المحادثة بصيغة JSON…</translation>
    </message>
    <message>
        <source>Delete thread</source>
        <translation>حذف المحادثة</translation>
    </message>
    <message>
        <source>Del in the list</source>
        <translation>Del في القائمة</translation>
    </message>
    <message>
        <source>Erase thread for everyone…</source>
        <translation>محو المحادثة عند الجميع…</translation>
    </message>
    <message>
        <source>Undo the last change</source>
        <translation>التراجع عن آخر تغيير</translation>
    </message>
    <message>
        <source>Redo what was undone</source>
        <translation>إعادة ما تم التراجع عنه</translation>
    </message>
    <message>
        <source>Switch project…</source>
        <translation>تبديل المشروع…</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>مشروع جديد…</translation>
    </message>
    <message>
        <source>Edit project…</source>
        <translation>تحرير المشروع…</translation>
    </message>
    <message>
        <source>Files of the project…</source>
        <translation>ملفات المشروع…</translation>
    </message>
    <message>
        <source>Memory…</source>
        <translation>الذاكرة…</translation>
    </message>
    <message>
        <source>System prompt of the project…</source>
        <translation>موجِّه نظام المشروع…</translation>
    </message>
    <message>
        <source>Parameters of the project…</source>
        <translation>معاملات المشروع…</translation>
    </message>
    <message>
        <source>Share project, or change its sharing…</source>
        <translation>مشاركة المشروع أو تغيير مشاركته…</translation>
    </message>
    <message>
        <source>Archive project, or take it out</source>
        <translation>أرشفة المشروع أو إخراجه</translation>
    </message>
    <message>
        <source>Delete project…</source>
        <translation>حذف المشروع…</translation>
    </message>
    <message>
        <source>All tags…</source>
        <translation>كل الوسوم…</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>إيقاف الإجابة</translation>
    </message>
    <message>
        <source>Go to the call that waits for approval</source>
        <translation>الانتقال إلى الاستدعاء الذي ينتظر الموافقة</translation>
    </message>
    <message>
        <source>Review proposed changes to files</source>
        <translation>مراجعة التغييرات المقترحة على الملفات</translation>
    </message>
    <message>
        <source>Add as note</source>
        <translation>إضافة كملاحظة</translation>
    </message>
    <message>
        <source>Regenerate the last answer</source>
        <translation>إعادة توليد آخر إجابة</translation>
    </message>
    <message>
        <source>Regenerate with another model…</source>
        <translation>إعادة التوليد بنموذج آخر…</translation>
    </message>
    <message>
        <source>Compare models…</source>
        <translation>مقارنة النماذج…</translation>
    </message>
    <message>
        <source>Edit my last message</source>
        <translation>تحرير رسالتي الأخيرة</translation>
    </message>
    <message>
        <source>Up in an empty composer</source>
        <translation>السهم لأعلى في محرِّر رسالة فارغ</translation>
    </message>
    <message>
        <source>Edit the answer</source>
        <translation>تحرير الإجابة</translation>
    </message>
    <message>
        <source>Open the page of an answer in the browser</source>
        <translation>فتح صفحة إجابة في المتصفّح</translation>
    </message>
    <message>
        <source>Stop the answer and send the waiting question</source>
        <translation>إيقاف الإجابة وإرسال السؤال المنتظر</translation>
    </message>
    <message>
        <source>Edit the last waiting question</source>
        <translation>تحرير آخر سؤال منتظر</translation>
    </message>
    <message>
        <source>Attach files…</source>
        <translation>إرفاق ملفات…</translation>
    </message>
    <message>
        <source>Insert a prompt…</source>
        <translation>إدراج موجِّه…</translation>
    </message>
    <message>
        <source>/ in an empty line</source>
        <translation>/ في سطر فارغ</translation>
    </message>
    <message>
        <source>Save as prompt…</source>
        <translation>حفظ كموجِّه…</translation>
    </message>
    <message>
        <source>Prompts…</source>
        <translation>الموجِّهات…</translation>
    </message>
    <message>
        <source>Choose assistant…</source>
        <translation>اختيار مساعد…</translation>
    </message>
    <message>
        <source>@ for one question</source>
        <translation>@ لسؤال واحد</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>نسخ آخر إجابة</translation>
    </message>
    <message>
        <source>Copy the selection as Markdown</source>
        <translation>نسخ التحديد بصيغة Markdown</translation>
    </message>
    <message>
        <source>Copy the selection as plain text</source>
        <translation>نسخ التحديد نصًا عاديًا</translation>
    </message>
    <message>
        <source>Copy the selection as rich text</source>
        <translation>نسخ التحديد نصًا منسّقًا</translation>
    </message>
    <message>
        <source>Copy link to the message</source>
        <translation>نسخ رابط الرسالة</translation>
    </message>
    <message>
        <source>Quote the selection in the composer</source>
        <translation>اقتباس التحديد في محرِّر الرسالة</translation>
    </message>
    <message>
        <source>Remember the selection…</source>
        <translation>تذكُّر النص المحدَّد…</translation>
    </message>
    <message>
        <source>Previous version</source>
        <translation>النسخة السابقة</translation>
    </message>
    <message>
        <source>Next version</source>
        <translation>النسخة التالية</translation>
    </message>
    <message>
        <source>Compare versions</source>
        <translation>مقارنة النسخ</translation>
    </message>
    <message>
        <source>Continue the answer</source>
        <translation>متابعة الإجابة</translation>
    </message>
    <message>
        <source>Ask for a shorter answer</source>
        <translation>طلب إجابة أقصر</translation>
    </message>
    <message>
        <source>Ask for a longer answer</source>
        <translation>طلب إجابة أطول</translation>
    </message>
    <message>
        <source>Branch into a new thread</source>
        <translation>تفريع إلى محادثة جديدة</translation>
    </message>
    <message>
        <source>Open code or a file as artifact</source>
        <translation>فتح كود أو ملف كناتج</translation>
    </message>
    <message>
        <source>Pin into the context, or unpin</source>
        <translation>تثبيت في السياق أو إلغاء التثبيت</translation>
    </message>
    <message>
        <source>Exclude from the context, or include</source>
        <translation>استبعاد من السياق أو تضمين</translation>
    </message>
    <message>
        <source>Start the context here</source>
        <translation>بدء السياق من هنا</translation>
    </message>
    <message>
        <source>Start the context at the beginning</source>
        <translation>بدء السياق من البداية</translation>
    </message>
    <message>
        <source>Delete the message</source>
        <translation>حذف الرسالة</translation>
    </message>
    <message>
        <source>Search everything…</source>
        <translation>البحث في كل شيء…</translation>
    </message>
    <message>
        <source>Filter the list of threads</source>
        <translation>تصفية قائمة المحادثات</translation>
    </message>
    <message>
        <source>Find in thread</source>
        <translation>البحث في المحادثة</translation>
    </message>
    <message>
        <source>Next match</source>
        <translation>النتيجة التالية</translation>
    </message>
    <message>
        <source>Previous match</source>
        <translation>النتيجة السابقة</translation>
    </message>
    <message>
        <source>Show the questions of this thread</source>
        <translation>عرض أسئلة هذه المحادثة</translation>
    </message>
    <message>
        <source>Jump to a date…</source>
        <translation>الانتقال إلى تاريخ…</translation>
    </message>
    <message>
        <source>Go to the composer</source>
        <translation>الانتقال إلى محرِّر الرسالة</translation>
    </message>
    <message>
        <source>Previous thread</source>
        <translation>المحادثة السابقة</translation>
    </message>
    <message>
        <source>Next thread</source>
        <translation>المحادثة التالية</translation>
    </message>
    <message>
        <source>Next part of the window</source>
        <translation>الجزء التالي من النافذة</translation>
    </message>
    <message>
        <source>Previous part of the window</source>
        <translation>الجزء السابق من النافذة</translation>
    </message>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>إظهار الشريط الجانبي أو إخفاؤه</translation>
    </message>
    <message>
        <source>Show threads</source>
        <translation>عرض المحادثات</translation>
    </message>
    <message>
        <source>Show the archive</source>
        <translation>عرض الأرشيف</translation>
    </message>
    <message>
        <source>Show the trash</source>
        <translation>عرض سلة المهملات</translation>
    </message>
    <message>
        <source>Deleted messages…</source>
        <translation>الرسائل المحذوفة…</translation>
    </message>
    <message>
        <source>Empty the trash…</source>
        <translation>إفراغ سلة المهملات…</translation>
    </message>
    <message>
        <source>Sort threads by name or by last activity</source>
        <translation>فرز المحادثات حسب الاسم أو آخر نشاط</translation>
    </message>
    <message>
        <source>Group threads by project or by date</source>
        <translation>تجميع المحادثات حسب المشروع أو التاريخ</translation>
    </message>
    <message>
        <source>Wider sidebar</source>
        <translation>شريط جانبي أعرض</translation>
    </message>
    <message>
        <source>Narrower sidebar</source>
        <translation>شريط جانبي أضيق</translation>
    </message>
    <message>
        <source>Show or hide the inspector</source>
        <translation>إظهار المفتِّش أو إخفاؤه</translation>
    </message>
    <message>
        <source>Show what the model will see</source>
        <translation>عرض ما سيراه النموذج</translation>
    </message>
    <message>
        <source>Show the summary of older messages</source>
        <translation>عرض ملخّص الرسائل الأقدم</translation>
    </message>
    <message>
        <source>Show what this thread used</source>
        <translation>عرض ما استخدمته هذه المحادثة</translation>
    </message>
    <message>
        <source>Show the tree of versions</source>
        <translation>عرض شجرة النسخ</translation>
    </message>
    <message>
        <source>Show the artifacts of this thread</source>
        <translation>عرض نواتج هذه المحادثة</translation>
    </message>
    <message>
        <source>Switch theme</source>
        <translation>تبديل السمة</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>تكبير النص</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>تصغير النص</translation>
    </message>
    <message>
        <source>Normal text size</source>
        <translation>حجم النص العادي</translation>
    </message>
    <message>
        <source>Show or hide the menu bar</source>
        <translation>إظهار شريط القوائم أو إخفاؤه</translation>
    </message>
    <message>
        <source>Add a provider…</source>
        <translation>إضافة مزوّد…</translation>
    </message>
    <message>
        <source>Tools…</source>
        <translation>الأدوات…</translation>
    </message>
    <message>
        <source>Manage models…</source>
        <translation>إدارة النماذج…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>استيراد…</translation>
    </message>
    <message>
        <source>Back up now</source>
        <translation>إنشاء نسخة احتياطية الآن</translation>
    </message>
    <message>
        <source>Restore a backup…</source>
        <translation>استعادة نسخة احتياطية…</translation>
    </message>
    <message>
        <source>Check the database</source>
        <translation>فحص قاعدة البيانات</translation>
    </message>
    <message>
        <source>Repair the database</source>
        <translation>إصلاح قاعدة البيانات</translation>
    </message>
    <message>
        <source>Quick question</source>
        <translation>سؤال سريع</translation>
    </message>
    <message>
        <source>All commands…</source>
        <translation>كل الأوامر…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>الإعدادات…</translation>
    </message>
    <message>
        <source>Team sync…</source>
        <translation>مزامنة الفريق…</translation>
    </message>
    <message>
        <source>Join a workspace…</source>
        <translation>الانضمام إلى مساحة عمل…</translation>
    </message>
    <message>
        <source>Invite to the workspace…</source>
        <translation>دعوة إلى مساحة العمل…</translation>
    </message>
    <message>
        <source>Sync now</source>
        <translation>مزامنة الآن</translation>
    </message>
    <message>
        <source>Details of team sync…</source>
        <translation>تفاصيل مزامنة الفريق…</translation>
    </message>
    <message>
        <source>Usage…</source>
        <translation>الاستخدام…</translation>
    </message>
    <message>
        <source>Messages that wait to be sent…</source>
        <translation>رسائل تنتظر الإرسال…</translation>
    </message>
    <message>
        <source>Limits…</source>
        <translation>الحدود…</translation>
    </message>
    <message>
        <source>Report a problem…</source>
        <translation>الإبلاغ عن مشكلة…</translation>
    </message>
    <message>
        <source>Updates…</source>
        <translation>التحديثات…</translation>
    </message>
    <message>
        <source>About ChatDesk</source>
        <translation>حول ChatDesk</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>إنهاء</translation>
    </message>
    <message>
        <source>Thread</source>
        <translation>محادثة</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>مشروع</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>رسالة</translation>
    </message>
    <message>
        <source>Go</source>
        <translation>انتقال</translation>
    </message>
    <message>
        <source>View</source>
        <translation>عرض</translation>
    </message>
    <message>
        <source>Application</source>
        <translation>التطبيق</translation>
    </message>
    <message>
        <source>These keys cannot be used.</source>
        <translation>لا يمكن استخدام هذه المفاتيح.</translation>
    </message>
    <message>
        <source>{keys} is needed for writing and moving about. Add Ctrl or Alt.</source>
        <translation>يلزم {keys} للكتابة والتنقّل. أضف Ctrl أو Alt.</translation>
    </message>
    <message>
        <source>{keys} is needed in every text field.</source>
        <translation>يلزم {keys} في كل حقل نص.</translation>
    </message>
    <message>
        <source>{keys} belongs to the system and would not reach ChatDesk.</source>
        <translation>يتبع {keys} النظام ولن يصل إلى ChatDesk.</translation>
    </message>
    <message>
        <source>There is no finished message here.</source>
        <translation>لا توجد رسالة مكتملة هنا.</translation>
    </message>
    <message>
        <source>There is no finished answer here.</source>
        <translation>لا توجد إجابة مكتملة هنا.</translation>
    </message>
    <message>
        <source>Shorter</source>
        <translation>أقصر</translation>
    </message>
    <message>
        <source>Longer</source>
        <translation>أطول</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>نسخ</translation>
    </message>
    <message>
        <source>Copy selection</source>
        <translation>نسخ التحديد</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>نسخ بصيغة Markdown</translation>
    </message>
    <message>
        <source>Copy as plain text</source>
        <translation>نسخ نصًا عاديًا</translation>
    </message>
    <message>
        <source>Copy as rich text</source>
        <translation>نسخ نصًا منسّقًا</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>نسخ الرابط</translation>
    </message>
    <message>
        <source>Quote</source>
        <translation>اقتباس</translation>
    </message>
    <message>
        <source>Quote selection</source>
        <translation>اقتباس التحديد</translation>
    </message>
    <message>
        <source>Remember selection…</source>
        <translation>تذكُّر النص المحدَّد…</translation>
    </message>
    <message>
        <source>Open as artifact</source>
        <translation>فتح كناتج</translation>
    </message>
    <message>
        <source>No message in view has a file, or code of 15 lines or more.</source>
        <translation>ليس في الرسائل الظاهرة ملف، ولا كود من ١٥ سطرًا أو أكثر.</translation>
    </message>
    <message>
        <source>Open page in browser</source>
        <translation>فتح الصفحة في المتصفّح</translation>
    </message>
    <message>
        <source>No message in view has a block of HTML.</source>
        <translation>ليس في الرسائل الظاهرة مقطع HTML.</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>إجابة</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>ملاحظة</translation>
    </message>
    <message>
        <source>Reasoning</source>
        <translation>التفكير</translation>
    </message>
    <message>
        <source>Tool call</source>
        <translation>استدعاء أداة</translation>
    </message>
    <message>
        <source>Image: {name}</source>
        <translation>صورة: {name}</translation>
    </message>
    <message>
        <source>File: {name}</source>
        <translation>ملف: {name}</translation>
    </message>
    <message>
        <source>Image: {name} ({problem})</source>
        <translation>صورة: {name} ({problem})</translation>
    </message>
    <message>
        <source>File: {name} ({problem})</source>
        <translation>ملف: {name} ({problem})</translation>
    </message>
    <message>
        <source>attachment</source>
        <translation>مرفق</translation>
    </message>
    <message>
        <source>its bytes are missing or damaged</source>
        <translation>محتواه مفقود أو تالف</translation>
    </message>
    <message>
        <source>at an unknown time</source>
        <translation>في وقت غير معروف</translation>
    </message>
    <message>
        <source>{year}-{month}-{day} {hour}:{minute} UTC</source>
        <translation>{year}/{month}/{day} {hour}:{minute} UTC</translation>
    </message>
    <message>
        <source>The link “{words}” leads to {place}.</source>
        <translation>الرابط «{words}» يؤدي إلى {place}.</translation>
    </message>
    <message>
        <source>More links of this message lead elsewhere than their words say.</source>
        <translation>في هذه الرسالة روابط أخرى تؤدي إلى غير ما تقوله كلماتها.</translation>
    </message>
    <message>
        <source>Answer</source>
        <comment>verb</comment>
        <translation>إجابة السؤال</translation>
    </message>
    <message>
        <source>Regenerate</source>
        <translation>إعادة التوليد</translation>
    </message>
    <message>
        <source>Answer with another model…</source>
        <translation>إجابة بنموذج آخر…</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>تحرير</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>متابعة</translation>
    </message>
    <message>
        <source>There is no answer here that could be continued.</source>
        <translation>لا توجد هنا إجابة تمكن متابعتها.</translation>
    </message>
    <message>
        <source>Decide about open calls…</source>
        <translation>البتّ في الاستدعاءات المفتوحة…</translation>
    </message>
    <message>
        <source>Review proposed changes…</source>
        <translation>مراجعة التغييرات المقترحة…</translation>
    </message>
    <message>
        <source>No answer here proposes changes to files.</source>
        <translation>لا إجابة هنا تقترح تغييرات على ملفات.</translation>
    </message>
    <message>
        <source>Edit answer</source>
        <translation>تحرير الإجابة</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>إعادة المحاولة</translation>
    </message>
    <message>
        <source>There is no earlier version of this message.</source>
        <translation>لا توجد نسخة أقدم من هذه الرسالة.</translation>
    </message>
    <message>
        <source>There is no later version of this message.</source>
        <translation>لا توجد نسخة أحدث من هذه الرسالة.</translation>
    </message>
    <message>
        <source>This answer has one version only.</source>
        <translation>لهذه الإجابة نسخة واحدة فقط.</translation>
    </message>
    <message>
        <source>Pin into the context</source>
        <translation>تثبيت في السياق</translation>
    </message>
    <message>
        <source>Unpin from the context</source>
        <translation>إلغاء التثبيت في السياق</translation>
    </message>
    <message>
        <source>Exclude from the context</source>
        <translation>استبعاد من السياق</translation>
    </message>
    <message>
        <source>Include in the context</source>
        <translation>تضمين في السياق</translation>
    </message>
    <message>
        <source>Let the model see it</source>
        <translation>السماح للنموذج برؤيتها</translation>
    </message>
    <message>
        <source>Include in the context again</source>
        <translation>التضمين في السياق من جديد</translation>
    </message>
    <message>
        <source>The context starts here already.</source>
        <translation>السياق يبدأ من هنا بالفعل.</translation>
    </message>
    <message>
        <source>The context starts at the beginning already.</source>
        <translation>السياق يبدأ من البداية بالفعل.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>حذف</translation>
    </message>
    <message>
        <source>Erase for everyone…</source>
        <translation>محو عند الجميع…</translation>
    </message>
    <message>
        <source>Open in a new window</source>
        <translation>فتح في نافذة جديدة</translation>
    </message>
    <message>
        <source>Open beside</source>
        <translation>فتح إلى الجانب</translation>
    </message>
    <message>
        <source>Close this chat or window</source>
        <translation>إغلاق هذه الدردشة أو النافذة</translation>
    </message>
    <message>
        <source>Go to the chat at the left</source>
        <translation>الانتقال إلى الدردشة اليسرى</translation>
    </message>
    <message>
        <source>Go to the chat at the right</source>
        <translation>الانتقال إلى الدردشة اليمنى</translation>
    </message>
    <message>
        <source>Keep this one</source>
        <translation>الاحتفاظ بهذه</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>إيقاف</translation>
    </message>
    <message>
        <source>Edited answer</source>
        <translation>إجابة محرَّرة</translation>
    </message>
    <message>
        <source>Stop the edited answer</source>
        <translation>إيقاف الإجابة المحرَّرة</translation>
    </message>
    <message>
        <source>Keep the edited answer</source>
        <translation>الاحتفاظ بالإجابة المحرَّرة</translation>
    </message>
    <message>
        <source>Keep the answer</source>
        <translation>الاحتفاظ بالإجابة</translation>
    </message>
    <message>
        <source>Answer of {model}</source>
        <translation>إجابة {model}</translation>
    </message>
    <message>
        <source>Stop the answer of {model}</source>
        <translation>إيقاف إجابة {model}</translation>
    </message>
    <message>
        <source>Keep the answer of {model}</source>
        <translation>الاحتفاظ بإجابة {model}</translation>
    </message>
    <message>
        <source>Compared answers</source>
        <translation>الإجابات المقارَنة</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>رجوع</translation>
    </message>
    <message>
        <source>Back to the thread; all answers stay as versions</source>
        <translation>رجوع إلى المحادثة؛ وتبقى كل الإجابات نسخًا</translation>
    </message>
    <message>
        <source>Your question: {question}</source>
        <translation>سؤالك: {question}</translation>
    </message>
    <message>
        <source>{name}, being copied</source>
        <translation>{name}، يجري نسخه</translation>
    </message>
    <message>
        <source>Remove {file}</source>
        <translation>إزالة {file}</translation>
    </message>
    <message>
        <source>Remove (Delete)</source>
        <translation>إزالة (Delete)</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>إزالة</translation>
    </message>
    <message>
        <source>{name} is attached</source>
        <translation>أُرفق {name}</translation>
    </message>
    <message>
        <source>{name} is removed</source>
        <translation>أُزيل {name}</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>إرسال</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>إيقاف الإجابة (Esc)</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>إرفاق ملفات</translation>
    </message>
    <message>
        <source>Files, prompts, parameters and tools</source>
        <translation>الملفات والموجِّهات والمعاملات والأدوات</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Your text is kept.</source>
        <translation>انتظر الإجابة، أو اضغط Esc لإيقافها. نصك محفوظ.</translation>
    </message>
    <message>
        <source>{size} is more than one message can hold ({limit}). Split the text.</source>
        <translation>{size} أكثر مما تتسع له رسالة واحدة ({limit}). قسّم النص.</translation>
    </message>
    <message>
        <source>Send after the answer</source>
        <translation>إرسال بعد الإجابة</translation>
    </message>
    <message>
        <source>The files are still being copied. The message is sent when they are there.</source>
        <translation>ما زال نسخ الملفات جاريًا. تُرسَل الرسالة عندما تكون موجودة.</translation>
    </message>
    <message>
        <source>Not sent yet: see the note above your text, then send again.</source>
        <translation>لم تُرسَل بعد: انظر الملاحظة فوق نصك، ثم أرسل من جديد.</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>الموجِّهات</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts, arrows choose, Enter inserts, Esc closes.</source>
        <comment>{count} prompt, arrows choose, Enter inserts, Esc closes.</comment>
        <translation>
            <numerusform>لا موجِّهات، Esc يغلق.</numerusform>
            <numerusform>موجِّه واحد، الأسهم تختار، Enter يدرج، Esc يغلق.</numerusform>
            <numerusform>موجِّهان، الأسهم تختار، Enter يدرج، Esc يغلق.</numerusform>
            <numerusform>{count} موجِّهات، الأسهم تختار، Enter يدرج، Esc يغلق.</numerusform>
            <numerusform>{count} موجِّهًا، الأسهم تختار، Enter يدرج، Esc يغلق.</numerusform>
            <numerusform>{count} موجِّه، الأسهم تختار، Enter يدرج، Esc يغلق.</numerusform>
        </translation>
    </message>
    <message>
        <source>Edit prompts…</source>
        <translation>تحرير الموجِّهات…</translation>
    </message>
    <message>
        <source>All templates and system prompts</source>
        <translation>كل القوالب وموجِّهات النظام</translation>
    </message>
    <message>
        <source>Find a prompt</source>
        <translation>البحث عن موجِّه</translation>
    </message>
    <message>
        <source>No prompt matches.</source>
        <translation>لا موجِّه مطابق.</translation>
    </message>
    <message>
        <source>{item}, {row} of {count}</source>
        <translation>{item}، {row} من {count}</translation>
    </message>
    <message>
        <source>{leave}: {state}</source>
        <translation>{leave}: {state}</translation>
    </message>
    <message>
        <source>Move up: {text}</source>
        <translation>تحريك لأعلى: {text}</translation>
    </message>
    <message>
        <source>Send it before the one above</source>
        <translation>إرساله قبل الذي فوقه</translation>
    </message>
    <message>
        <source>Take it back into the text below</source>
        <translation>إعادته إلى النص أدناه</translation>
    </message>
    <message>
        <source>Send now</source>
        <translation>إرسال الآن</translation>
    </message>
    <message>
        <source>Stop the answer, keep what came, and ask this</source>
        <translation>إيقاف الإجابة والاحتفاظ بما وصل وطرح هذا السؤال</translation>
    </message>
    <message numerus="yes">
        <source>{count} more wait…</source>
        <comment>{count} more waits…</comment>
        <translation>
            <numerusform>لا شيء آخر ينتظر…</numerusform>
            <numerusform>واحد آخر ينتظر…</numerusform>
            <numerusform>اثنان آخران ينتظران…</numerusform>
            <numerusform>{count} أخرى تنتظر…</numerusform>
            <numerusform>{count} أخرى تنتظر…</numerusform>
            <numerusform>{count} أخرى تنتظر…</numerusform>
        </translation>
    </message>
    <message>
        <source>Save these files as a zip and send it with a description of what went wrong. They contain no messages, titles, file names or keys. Look through them first; nothing is sent automatically.</source>
        <translation>احفظ هذه الملفات في ملف zip وأرسله مع وصف لما حدث. لا تحتوي على رسائل أو عناوين أو أسماء ملفات أو مفاتيح. راجعها أولًا؛ ولا يُرسَل شيء تلقائيًا.</translation>
    </message>
    <message>
        <source>Report a problem</source>
        <translation>الإبلاغ عن مشكلة</translation>
    </message>
    <message>
        <source>Files of the report</source>
        <translation>ملفات التقرير</translation>
    </message>
    <message>
        <source>Text of the file</source>
        <translation>نص الملف</translation>
    </message>
    <message>
        <source>Collecting…</source>
        <translation>جارٍ الجمع…</translation>
    </message>
    <message>
        <source>Save as a zip…</source>
        <translation>حفظ كملف zip…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>إغلاق</translation>
    </message>
    <message numerus="yes">
        <source>{count} files, {size} before packing</source>
        <comment>{count} file, {size} before packing</comment>
        <translation>
            <numerusform>لا ملفات، {size} قبل الضغط</numerusform>
            <numerusform>ملف واحد، {size} قبل الضغط</numerusform>
            <numerusform>ملفان، {size} قبل الضغط</numerusform>
            <numerusform>{count} ملفات، {size} قبل الضغط</numerusform>
            <numerusform>{count} ملفًا، {size} قبل الضغط</numerusform>
            <numerusform>{count} ملف، {size} قبل الضغط</numerusform>
        </translation>
    </message>
    <message>
        <source>(The end of it; the zip has all {count} characters.)
…{end}</source>
        <translation>(نهايته؛ وفي ملف zip كل الحروف وعددها {count}.)
…{end}</translation>
    </message>
    <message>
        <source>What you typed is not saved. Press Esc again to leave without it.</source>
        <translation>ما كتبته غير محفوظ. اضغط Esc مرة أخرى للمغادرة دون حفظه.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>إلغاء</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>اختيار…</translation>
    </message>
    <message>
        <source>Choose: {name}</source>
        <translation>اختيار: {name}</translation>
    </message>
    <message>
        <source>Remove: {name}</source>
        <translation>إزالة: {name}</translation>
    </message>
    <message>
        <source>Press the keys…</source>
        <translation>اضغط المفاتيح…</translation>
    </message>
    <message>
        <source>{keys}. Press Enter to choose others, Delete to remove them, Esc to keep them.</source>
        <translation>{keys}. اضغط Enter لاختيار غيرها، وDelete لإزالتها، وEsc للاحتفاظ بها.</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>نسخ التقرير</translation>
    </message>
    <message>
        <source>Show file</source>
        <translation>إظهار الملف</translation>
    </message>
    <message>
        <source>The report could not be read: {reason}.</source>
        <translation>تعذّرت قراءة التقرير: {reason}.</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>نُسخ</translation>
    </message>
    <message>
        <source>Version {version}, with Python {python} and Qt {qt_version}.

Inter and JetBrains Mono are used under the SIL Open Font License, the Lucide icons under the ISC licence.</source>
        <translation>الإصدار {version}، مع Python {python} وQt {qt_version}.

يُستخدم الخطان Inter وJetBrains Mono بموجب SIL Open Font License، وأيقونات Lucide بموجب رخصة ISC.</translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation>إرسال الرسالة</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>New line in the composer</source>
        <translation>سطر جديد في محرِّر الرسالة</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Shift+Enter</translation>
    </message>
    <message>
        <source>Walk through threads</source>
        <translation>التنقّل بين المحادثات</translation>
    </message>
    <message>
        <source>Up or Down in the list</source>
        <translation>السهم لأعلى أو لأسفل في القائمة</translation>
    </message>
    <message>
        <source>Open the thread</source>
        <translation>فتح المحادثة</translation>
    </message>
    <message>
        <source>Enter in the list</source>
        <translation>Enter في القائمة</translation>
    </message>
    <message>
        <source>Mark threads</source>
        <translation>تحديد محادثات</translation>
    </message>
    <message>
        <source>Shift+Down or Ctrl+Space in the list</source>
        <translation>Shift+السهم لأسفل أو Ctrl+Space في القائمة</translation>
    </message>
    <message>
        <source>Menu of a thread</source>
        <translation>قائمة المحادثة</translation>
    </message>
    <message>
        <source>Menu in the list</source>
        <translation>مفتاح القائمة في القائمة</translation>
    </message>
    <message>
        <source>Between messages</source>
        <translation>بين الرسائل</translation>
    </message>
    <message>
        <source>Ctrl+Down or Ctrl+Up in the thread</source>
        <translation>Ctrl+السهم لأسفل أو Ctrl+السهم لأعلى في المحادثة</translation>
    </message>
    <message>
        <source>Links and buttons</source>
        <translation>الروابط والأزرار</translation>
    </message>
    <message>
        <source>Tab in the thread</source>
        <translation>Tab في المحادثة</translation>
    </message>
    <message>
        <source>Menu of the message</source>
        <translation>قائمة الرسالة</translation>
    </message>
    <message>
        <source>Enter or Menu in the thread</source>
        <translation>Enter أو مفتاح القائمة في المحادثة</translation>
    </message>
    <message>
        <source>Walk through the text</source>
        <translation>التنقّل في النص</translation>
    </message>
    <message>
        <source>F7 in the thread</source>
        <translation>F7 في المحادثة</translation>
    </message>
    <message>
        <source>Next group of results</source>
        <translation>مجموعة النتائج التالية</translation>
    </message>
    <message>
        <source>Tab in the search</source>
        <translation>Tab في البحث</translation>
    </message>
    <message>
        <source>Press the new keys for “{name}”.</source>
        <translation>اضغط المفاتيح الجديدة لـ «{name}».</translation>
    </message>
    <message>
        <source>Use these</source>
        <translation>استخدام هذه</translation>
    </message>
    <message>
        <source>{keys} belongs to “{name}”, which would lose it.</source>
        <translation>{keys} لـ «{name}»، وسيفقدها.</translation>
    </message>
    <message>
        <source>Take over</source>
        <translation>أخذها</translation>
    </message>
    <message>
        <source>{keys} is free.</source>
        <translation>{keys} شاغرة.</translation>
    </message>
    <message>
        <source>In place</source>
        <translation>في مكانها</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>مغيَّرة</translation>
    </message>
    <message>
        <source>changed keys</source>
        <translation>مفاتيح مغيَّرة</translation>
    </message>
    <message>
        <source>no keys</source>
        <translation>بلا مفاتيح</translation>
    </message>
    <message>
        <source>usual keys</source>
        <translation>المفاتيح المعتادة</translation>
    </message>
    <message>
        <source>Find a command or keys</source>
        <translation>البحث عن أمر أو مفاتيح</translation>
    </message>
    <message>
        <source>Commands and their keys</source>
        <translation>الأوامر ومفاتيحها</translation>
    </message>
    <message>
        <source>Enter changes the keys, Delete takes them away</source>
        <translation>Enter يغيّر المفاتيح، وDelete يزيلها</translation>
    </message>
    <message>
        <source>a very long answer (some 6,000 words)</source>
        <translation>إجابة طويلة جدًّا (نحو ٦٬٠٠٠ كلمة)</translation>
    </message>
    <message>
        <source>code in several languages</source>
        <translation>كود بعدة لغات</translation>
    </message>
    <message>
        <source>tables, narrow and wide</source>
        <translation>جداول ضيّقة وعريضة</translation>
    </message>
    <message>
        <source>formulas</source>
        <translation>معادلات</translation>
    </message>
    <message>
        <source>a picture, which is kept as a file of the answer</source>
        <translation>صورة تُحفظ ملفًّا من ملفات الإجابة</translation>
    </message>
    <message>
        <source>every kind of Markdown</source>
        <translation>كل أنواع Markdown</translation>
    </message>
    <message>
        <source>eight pieces a second: time to press Stop</source>
        <translation>ثماني قطع في الثانية: وقت كافٍ للضغط على إيقاف</translation>
    </message>
    <message>
        <source>too many requests: a wait that is announced, then an error</source>
        <translation>طلبات كثيرة: انتظار معلن ثم خطأ</translation>
    </message>
    <message>
        <source>the same wait, then an answer</source>
        <translation>الانتظار نفسه ثم إجابة</translation>
    </message>
    <message>
        <source>the connection breaks in the middle; Continue finishes</source>
        <translation>ينقطع الاتصال في المنتصف؛ وتكمله «متابعة»</translation>
    </message>
    <message>
        <source>thoughts before the answer</source>
        <translation>أفكار قبل الإجابة</translation>
    </message>
    <message>
        <source>a tool call</source>
        <translation>استدعاء أداة</translation>
    </message>
    <message>
        <source>There is no demo called {name}. These exist:</source>
        <translation>لا يوجد عرض باسم {name}. الموجود هو:</translation>
    </message>
    <message>
        <source>Try one of these:</source>
        <translation>جرّب أحد هذه:</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>الأمر</translation>
    </message>
    <message>
        <source>What it shows</source>
        <translation>ما يعرضه</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>المفاتيح</translation>
    </message>
    <message>
        <source>State</source>
        <translation>الحالة</translation>
    </message>
    <message>
        <source>Change keys…</source>
        <translation>تغيير المفاتيح…</translation>
    </message>
    <message>
        <source>Take away</source>
        <translation>إزالة المفاتيح</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>إعادة الضبط</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>إعادة ضبط الكل</translation>
    </message>
    <message>
        <source>New keys</source>
        <translation>مفاتيح جديدة</translation>
    </message>
    <message>
        <source>An unexpected failure</source>
        <translation>إخفاق غير متوقع</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept.</source>
        <translation>حدث خطأ ما في ChatDesk. رسائلك محفوظة.</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept, and you can go on. A report was written, without your messages. To send it to the developers, choose “Report a problem…” in the menu: you see everything first.</source>
        <translation>حدث خطأ ما في ChatDesk. رسائلك محفوظة، ويمكنك المتابعة. كُتب تقرير من دون رسائلك. لإرساله إلى المطوّرين، اختر «الإبلاغ عن مشكلة…» في القائمة: ترى كل شيء أولًا.</translation>
    </message>
    <message>
        <source>Details…</source>
        <translation>التفاصيل…</translation>
    </message>
    <message>
        <source>This text is too long to be drawn. Its source is shown.</source>
        <translation>هذا النص أطول من أن يُرسم. يُعرض مصدره.</translation>
    </message>
    <message>
        <source>They differ too much to be compared line by line; what differs is shown as replaced.</source>
        <translation>الاختلاف أكبر من أن يُقارن سطرًا سطرًا؛ ويُعرض المختلف مستبدلًا.</translation>
    </message>
    <message numerus="yes">
        <source>The first {count} rows are shown.</source>
        <comment>The first {count} row is shown.</comment>
        <translation>
            <numerusform>لا تُعرض أي صفوف.</numerusform>
            <numerusform>يُعرض الصف الأول.</numerusform>
            <numerusform>يُعرض أول صفين.</numerusform>
            <numerusform>تُعرض أول {count} صفوف.</numerusform>
            <numerusform>يُعرض أول {count} صفًا.</numerusform>
            <numerusform>يُعرض أول {count} صف.</numerusform>
        </translation>
    </message>
    <message>
        <source>{added}, {removed}.</source>
        <translation>{added}، {removed}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added</source>
        <comment>{count} line added</comment>
        <translation>
            <numerusform>لم تُضف أسطر</numerusform>
            <numerusform>أُضيف سطر واحد</numerusform>
            <numerusform>أُضيف سطران</numerusform>
            <numerusform>أُضيفت {count} أسطر</numerusform>
            <numerusform>أُضيف {count} سطرًا</numerusform>
            <numerusform>أُضيف {count} سطر</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} lines removed</source>
        <comment>{count} line removed</comment>
        <translation>
            <numerusform>لم تُزل أسطر</numerusform>
            <numerusform>أُزيل سطر واحد</numerusform>
            <numerusform>أُزيل سطران</numerusform>
            <numerusform>أُزيلت {count} أسطر</numerusform>
            <numerusform>أُزيل {count} سطرًا</numerusform>
            <numerusform>أُزيل {count} سطر</numerusform>
        </translation>
    </message>
    <message>
        <source>No line differs.</source>
        <translation>لا سطر مختلف.</translation>
    </message>
    <message>
        <source>in a version of the thread that is not shown</source>
        <translation>في نسخة من المحادثة غير معروضة</translation>
    </message>
    <message>
        <source>This text is too large to be edited here. Save it, edit it elsewhere, and attach the result.</source>
        <translation>هذا النص أكبر من أن يُحرَّر هنا. احفظه وحرّره في مكان آخر، ثم أرفق النتيجة.</translation>
    </message>
    <message>
        <source>Your unfinished edit is back</source>
        <translation>عاد تحريرك غير المكتمل</translation>
    </message>
    <message>
        <source>Your changes were left out</source>
        <translation>تُركت تغييراتك</translation>
    </message>
    <message>
        <source>Edit again</source>
        <translation>التحرير من جديد</translation>
    </message>
    <message>
        <source>Your edit of {name} is a version of it</source>
        <translation>صار تحريرك لـ {name} نسخة منه</translation>
    </message>
    <message>
        <source>Artifacts are stored on disk; a temporary chat is not.</source>
        <translation>تُخزَّن النواتج على القرص؛ أما الدردشة المؤقتة فلا.</translation>
    </message>
    <message>
        <source>Change the attached file {name} and answer with all of it in one code block.</source>
        <translation>غيّر الملف المرفق {name} وأجب به كله في مقطع كود واحد.</translation>
    </message>
    <message>
        <source>Removed from the list</source>
        <translation>أُزيل من القائمة</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>تراجع</translation>
    </message>
    <message>
        <source>Answer with another model</source>
        <translation>الإجابة بنموذج آخر</translation>
    </message>
    <message>
        <source>Pasted image.png</source>
        <translation>صورة ملصقة.png</translation>
    </message>
    <message>
        <source>Files are stored on disk; a temporary chat is not.</source>
        <translation>تُخزَّن الملفات على القرص؛ أما الدردشة المؤقتة فلا.</translation>
    </message>
    <message>
        <source>It is right</source>
        <translation>هذا صحيح</translation>
    </message>
    <message>
        <source>Is “{sample}” in “{name}” read right?</source>
        <translation>هل قُرئ «{sample}» في «{name}» قراءة صحيحة؟</translation>
    </message>
    <message>
        <source>“{name}” is read as {encoding}: “{sample}”.</source>
        <translation>يُقرأ «{name}» بالترميز {encoding}: «{sample}».</translation>
    </message>
    <message>
        <source>Of “{name}” only the name is sent.</source>
        <translation>لا يُرسَل من «{name}» سوى الاسم.</translation>
    </message>
    <message>
        <source>“{name}”: {problem}</source>
        <translation>«{name}»: {problem}</translation>
    </message>
    <message>
        <source>Read otherwise…</source>
        <translation>القراءة بترميز آخر…</translation>
    </message>
    <message>
        <source>Not sent yet: say above your text whether “{name}” is read right.</source>
        <translation>لم تُرسل بعد: بيّن فوق نصك هل قُرئ «{name}» قراءة صحيحة.</translation>
    </message>
    <message>
        <source>The picture in the clipboard cannot be read.</source>
        <translation>تتعذّر قراءة الصورة التي في الحافظة.</translation>
    </message>
    <message>
        <source>This thread has no message yet.</source>
        <translation>ليست في هذه المحادثة رسالة بعد.</translation>
    </message>
    <message>
        <source>Nothing was written on that day or later.</source>
        <translation>لم يُكتب شيء في ذلك اليوم أو بعده.</translation>
    </message>
    <message>
        <source>What goes to the trash can be brought back, at once with Ctrl+Z and later from the inspector&apos;s tree.</source>
        <translation>ما يذهب إلى سلة المهملات تمكن إعادته، فورًا بـ Ctrl+Z ولاحقًا من شجرة المفتِّش.</translation>
    </message>
    <message>
        <source>Delete this message only, or also those after it?</source>
        <translation>هل تريد حذف هذه الرسالة فقط، أم ما بعدها أيضًا؟</translation>
    </message>
    <message>
        <source>Do not ask again</source>
        <translation>عدم السؤال مرة أخرى</translation>
    </message>
    <message>
        <source>Settings can make ChatDesk ask again.</source>
        <translation>يمكن في الإعدادات جعل ChatDesk يسأل من جديد.</translation>
    </message>
    <message>
        <source>With later messages</source>
        <translation>مع الرسائل اللاحقة</translation>
    </message>
    <message>
        <source>This message only</source>
        <translation>هذه الرسالة فقط</translation>
    </message>
    <message>
        <source>Deleted messages</source>
        <translation>الرسائل المحذوفة</translation>
    </message>
    <message>
        <source>Restored messages go back to their place.</source>
        <translation>تعود الرسائل المستعادة إلى مواضعها.</translation>
    </message>
    <message>
        <source>No message is in the trash.</source>
        <translation>لا رسائل في سلة المهملات.</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>استعادة</translation>
    </message>
    <message>
        <source>Show the thread</source>
        <translation>عرض المحادثة</translation>
    </message>
    <message>
        <source>{day} {time}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>Without text</source>
        <translation>بلا نص</translation>
    </message>
    <message>
        <source>Question in “{title}”, deleted {when}</source>
        <translation>سؤال في «{title}»، حُذف {when}</translation>
    </message>
    <message>
        <source>Answer in “{title}”, deleted {when}</source>
        <translation>إجابة في «{title}»، حُذفت {when}</translation>
    </message>
    <message>
        <source>Question and {more} more in “{title}”, deleted {when}</source>
        <translation>سؤال ومعه {more} في «{title}»، حُذف {when}</translation>
    </message>
    <message>
        <source>Answer and {more} more in “{title}”, deleted {when}</source>
        <translation>إجابة ومعها {more} في «{title}»، حُذفت {when}</translation>
    </message>
    <message>
        <source>Message restored</source>
        <translation>استُعيدت الرسالة</translation>
    </message>
    <message>
        <source>It leaves the server, and every computer when it syncs next. This cannot be undone. What stays: backups of the server and of computers until they are replaced, private copies of members who left, and what somebody copied or exported.</source>
        <translation>يزول من الخادم، ومن كل حاسوب عند مزامنته التالية. لا يمكن التراجع عن هذا. ما يبقى: النسخ الاحتياطية للخادم والحواسيب إلى أن تُستبدل، والنسخ الخاصة لأعضاء غادروا، وما نسخه أحد أو صدّره.</translation>
    </message>
    <message>
        <source>Erase this thread for everyone?</source>
        <translation>هل تريد محو هذه المحادثة عند الجميع؟</translation>
    </message>
    <message>
        <source>Erase this message for everyone?</source>
        <translation>هل تريد محو هذه الرسالة عند الجميع؟</translation>
    </message>
    <message>
        <source>Erase for everyone</source>
        <translation>محو عند الجميع</translation>
    </message>
    <message>
        <source>It is in the trash, and is erased as soon as the server has taken it.</source>
        <translation>هي في سلة المهملات، وتُمحى حالما يقبل الخادم ذلك.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages go, with attached files and the summaries that mention them.</source>
        <comment>{count} message goes, with attached files and the summaries that mention them.</comment>
        <translation>
            <numerusform>لا رسائل تزول.</numerusform>
            <numerusform>تزول رسالة واحدة، مع الملفات المرفقة والملخّصات التي تذكرها.</numerusform>
            <numerusform>تزول رسالتان، مع الملفات المرفقة والملخّصات التي تذكرهما.</numerusform>
            <numerusform>تزول {count} رسائل، مع الملفات المرفقة والملخّصات التي تذكرها.</numerusform>
            <numerusform>تزول {count} رسالة، مع الملفات المرفقة والملخّصات التي تذكرها.</numerusform>
            <numerusform>تزول {count} رسالة، مع الملفات المرفقة والملخّصات التي تذكرها.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages of others stay in the trash: only owners and admins of the project erase what others wrote.</source>
        <comment>{count} message of others stays in the trash: only owners and admins of the project erase what others wrote.</comment>
        <translation>
            <numerusform>لا رسائل لآخرين تبقى.</numerusform>
            <numerusform>تبقى رسالة واحدة لآخرين في سلة المهملات: مالكو المشروع ومشرفوه وحدهم يمحون ما كتبه الآخرون.</numerusform>
            <numerusform>تبقى رسالتان لآخرين في سلة المهملات: مالكو المشروع ومشرفوه وحدهم يمحون ما كتبه الآخرون.</numerusform>
            <numerusform>تبقى {count} رسائل لآخرين في سلة المهملات: مالكو المشروع ومشرفوه وحدهم يمحون ما كتبه الآخرون.</numerusform>
            <numerusform>تبقى {count} رسالة لآخرين في سلة المهملات: مالكو المشروع ومشرفوه وحدهم يمحون ما كتبه الآخرون.</numerusform>
            <numerusform>تبقى {count} رسالة لآخرين في سلة المهملات: مالكو المشروع ومشرفوه وحدهم يمحون ما كتبه الآخرون.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is not sent, because this model cannot see images.</source>
        <translation>لا تُرسَل، لأن هذا النموذج لا يرى الصور.</translation>
    </message>
    <message>
        <source>It is empty.</source>
        <translation>إنه فارغ.</translation>
    </message>
    <message>
        <source>Its middle is left out, because it does not fit.</source>
        <translation>حُذف وسطه لأنه لا يتّسع.</translation>
    </message>
    <message>
        <source>this model</source>
        <translation>هذا النموذج</translation>
    </message>
    <message numerus="yes">
        <source>{count} images are not sent, because {model} cannot see images: only their names are.</source>
        <comment>The image is not sent, because {model} cannot see images: only its name is.</comment>
        <translation>
            <numerusform>لا تُرسَل أي صورة، لأن {model} لا يرى الصور.</numerusform>
            <numerusform>لا تُرسَل الصورة، لأن {model} لا يرى الصور: يُرسَل اسمها فقط.</numerusform>
            <numerusform>لا تُرسَل الصورتان، لأن {model} لا يرى الصور: يُرسَل اسماهما فقط.</numerusform>
            <numerusform>لا تُرسَل {count} صور، لأن {model} لا يرى الصور: تُرسَل أسماؤها فقط.</numerusform>
            <numerusform>لا تُرسَل {count} صورة، لأن {model} لا يرى الصور: تُرسَل أسماؤها فقط.</numerusform>
            <numerusform>لا تُرسَل {count} صورة، لأن {model} لا يرى الصور: تُرسَل أسماؤها فقط.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {model} sees images. {count} are sent.</source>
        <comment>It is not known whether {model} sees images. The image is sent.</comment>
        <translation>
            <numerusform>لا يُعرف هل يرى {model} الصور.</numerusform>
            <numerusform>لا يُعرف هل يرى {model} الصور. تُرسَل الصورة.</numerusform>
            <numerusform>لا يُعرف هل يرى {model} الصور. تُرسَل الصورتان.</numerusform>
            <numerusform>لا يُعرف هل يرى {model} الصور. تُرسَل {count} صور.</numerusform>
            <numerusform>لا يُعرف هل يرى {model} الصور. تُرسَل {count} صورة.</numerusform>
            <numerusform>لا يُعرف هل يرى {model} الصور. تُرسَل {count} صورة.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The middle of {count} files is left out, because they do not fit.</source>
        <comment>The middle of “{name}” is left out, because it does not fit.</comment>
        <translation>
            <numerusform>لم يُحذف وسط أي ملف.</numerusform>
            <numerusform>حُذف وسط «{name}» لأنه لا يتّسع.</numerusform>
            <numerusform>حُذف وسط ملفّين لأنهما لا يتّسعان.</numerusform>
            <numerusform>حُذف وسط {count} ملفات لأنها لا تتّسع.</numerusform>
            <numerusform>حُذف وسط {count} ملفًا لأنها لا تتّسع.</numerusform>
            <numerusform>حُذف وسط {count} ملف لأنها لا تتّسع.</numerusform>
        </translation>
    </message>
    <message>
        <source>The size of the context of {model} is not known: {count} tokens are assumed.</source>
        <translation>حجم سياق {model} غير معروف: يُفترَض {count} رمزًا.</translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {models} see images; they are sent.</source>
        <comment>It is not known whether {models} sees images; they are sent.</comment>
        <translation>
            <numerusform>لا يُعرف هل يرى {models} الصور؛ وهي تُرسَل.</numerusform>
            <numerusform>لا يُعرف هل يرى {models} الصور؛ وهي تُرسَل.</numerusform>
            <numerusform>لا يُعرف هل يرى {models} الصور؛ وهي تُرسَل.</numerusform>
            <numerusform>لا يُعرف هل يرى {models} الصور؛ وهي تُرسَل.</numerusform>
            <numerusform>لا يُعرف هل يرى {models} الصور؛ وهي تُرسَل.</numerusform>
            <numerusform>لا يُعرف هل يرى {models} الصور؛ وهي تُرسَل.</numerusform>
        </translation>
    </message>
    <message>
        <source>Do not send images</source>
        <translation>عدم إرسال الصور</translation>
    </message>
    <message>
        <source>Ask {model} instead</source>
        <translation>سؤال {model} بدلًا منه</translation>
    </message>
    <message numerus="yes">
        <source>They can</source>
        <comment>It can</comment>
        <translation>
            <numerusform>يمكنها</numerusform>
            <numerusform>يمكنه</numerusform>
            <numerusform>يمكنهما</numerusform>
            <numerusform>يمكنها</numerusform>
            <numerusform>يمكنها</numerusform>
            <numerusform>يمكنها</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{models} cannot see images: only their names are sent.</source>
        <comment>{models} cannot see images: only their names are sent.</comment>
        <translation>
            <numerusform>لا ترى {models} الصور: تُرسَل أسماؤها فقط.</numerusform>
            <numerusform>لا يرى {models} الصور: تُرسَل أسماؤها فقط.</numerusform>
            <numerusform>لا يرى {models} الصور: تُرسَل أسماؤها فقط.</numerusform>
            <numerusform>لا ترى {models} الصور: تُرسَل أسماؤها فقط.</numerusform>
            <numerusform>لا ترى {models} الصور: تُرسَل أسماؤها فقط.</numerusform>
            <numerusform>لا ترى {models} الصور: تُرسَل أسماؤها فقط.</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to a date</source>
        <translation>الانتقال إلى تاريخ</translation>
    </message>
    <message>
        <source>From {first} to {last}</source>
        <translation>من {first} إلى {last}</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>التاريخ</translation>
    </message>
    <message>
        <source>Calendar</source>
        <translation>التقويم</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>الأيام</translation>
    </message>
    <message>
        <source>Previous month</source>
        <translation>الشهر السابق</translation>
    </message>
    <message>
        <source>Next month</source>
        <translation>الشهر التالي</translation>
    </message>
    <message>
        <source>Send or cancel what you are editing first.</source>
        <translation>أرسل ما تحرّره أو ألغه أولًا.</translation>
    </message>
    <message>
        <source>Added as a note</source>
        <translation>أُضيف كملاحظة</translation>
    </message>
    <message>
        <source>Nothing was changed, so the answer stays as it is.</source>
        <translation>لم يتغيّر شيء، فتبقى الإجابة كما هي.</translation>
    </message>
    <message>
        <source>Stop comparing</source>
        <translation>إيقاف المقارنة</translation>
    </message>
    <message>
        <source>A temporary chat cannot have branches.</source>
        <translation>لا يمكن أن تكون للدردشة المؤقتة فروع.</translation>
    </message>
    <message>
        <source>branch</source>
        <translation>التفريع</translation>
    </message>
    <message>
        <source>This is a branch. The thread it came from stays as it is.</source>
        <translation>هذا فرع. والمحادثة التي جاء منها تبقى كما هي.</translation>
    </message>
    <message>
        <source>Sending makes a version that is marked as yours.</source>
        <translation>الإرسال ينشئ نسخة معلّمة بأنها لك.</translation>
    </message>
    <message>
        <source>Editing an answer.</source>
        <translation>تحرير إجابة.</translation>
    </message>
    <message>
        <source>Editing a question.</source>
        <translation>تحرير سؤال.</translation>
    </message>
    <message>
        <source>Editing your last question. Sending makes a new version.</source>
        <translation>تحرير سؤالك الأخير. الإرسال ينشئ نسخة جديدة.</translation>
    </message>
    <message>
        <source>leave the edit</source>
        <translation>ترك التعديل</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Then it can be edited.</source>
        <translation>انتظر الإجابة، أو اضغط Esc لإيقافها. بعدها يمكن تحريرها.</translation>
    </message>
    <message numerus="yes">
        <source>{count} later messages stay in version {version}.</source>
        <comment>{count} later message stays in version {version}.</comment>
        <translation>
            <numerusform>لا رسائل لاحقة تبقى في النسخة {version}.</numerusform>
            <numerusform>تبقى رسالة لاحقة واحدة في النسخة {version}.</numerusform>
            <numerusform>تبقى رسالتان لاحقتان في النسخة {version}.</numerusform>
            <numerusform>تبقى {count} رسائل لاحقة في النسخة {version}.</numerusform>
            <numerusform>تبقى {count} رسالة لاحقة في النسخة {version}.</numerusform>
            <numerusform>تبقى {count} رسالة لاحقة في النسخة {version}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Comparing {count} models</source>
        <comment>Comparing {count} model</comment>
        <translation>
            <numerusform>لا نماذج للمقارنة</numerusform>
            <numerusform>مقارنة نموذج واحد</numerusform>
            <numerusform>مقارنة نموذجين</numerusform>
            <numerusform>مقارنة {count} نماذج</numerusform>
            <numerusform>مقارنة {count} نموذجًا</numerusform>
            <numerusform>مقارنة {count} نموذج</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} answers this question.</source>
        <translation>يجيب {name} عن هذا السؤال.</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>درجة الحرارة</translation>
    </message>
    <message>
        <source>Low is steady, high is varied.</source>
        <translation>المنخفضة ثابتة، والمرتفعة متنوّعة.</translation>
    </message>
    <message>
        <source>How many of the likely words are considered.</source>
        <translation>كم من الكلمات المحتملة يؤخذ في الحسبان.</translation>
    </message>
    <message>
        <source>In tokens. This much of the context is kept free.</source>
        <translation>بالرموز. يُترك هذا القدر من السياق شاغرًا.</translation>
    </message>
    <message>
        <source>Reasoning effort</source>
        <translation>جهد التفكير</translation>
    </message>
    <message>
        <source>How long the model thinks before it answers.</source>
        <translation>كم يفكّر النموذج قبل أن يجيب.</translation>
    </message>
    <message>
        <source>Stop words</source>
        <translation>كلمات التوقف</translation>
    </message>
    <message>
        <source>The answer ends before any of these. One a line, at most four.</source>
        <translation>تنتهي الإجابة قبل أي من هذه. واحدة في كل سطر، أربع على الأكثر.</translation>
    </message>
    <message>
        <source>Minimal</source>
        <translation>أدنى</translation>
    </message>
    <message>
        <source>Low</source>
        <translation>منخفض</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>متوسط</translation>
    </message>
    <message>
        <source>High</source>
        <translation>مرتفع</translation>
    </message>
    <message numerus="yes">
        <source>{count} parameters</source>
        <comment>{count} parameter</comment>
        <translation>
            <numerusform>لا معاملات</numerusform>
            <numerusform>معامل واحد</numerusform>
            <numerusform>معاملان</numerusform>
            <numerusform>{count} معاملات</numerusform>
            <numerusform>{count} معاملًا</numerusform>
            <numerusform>{count} معامل</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} {value}</source>
        <translation>{name} {value}</translation>
    </message>
    <message>
        <source>Empty means: {value}.</source>
        <translation>الفارغ يعني: {value}.</translation>
    </message>
    <message>
        <source>Same as the project: {value}</source>
        <translation>مثل المشروع: {value}</translation>
    </message>
    <message>
        <source>Up to {number}</source>
        <translation>حتى {number}</translation>
    </message>
    <message>
        <source>Model&apos;s default</source>
        <translation>افتراضي النموذج</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>حفظ</translation>
    </message>
    <message>
        <source>Used whenever this assistant answers; what is empty follows the thread.</source>
        <translation>تُستخدم كلما أجاب هذا المساعد؛ والفارغ يتبع المحادثة.</translation>
    </message>
    <message>
        <source>Empties every field, so that the project&apos;s values apply.</source>
        <translation>يفرغ كل حقل، فتسري قيم المشروع.</translation>
    </message>
    <message>
        <source>Empties every field, so that the model&apos;s own values apply.</source>
        <translation>يفرغ كل حقل، فتسري قيم النموذج نفسه.</translation>
    </message>
    <message>
        <source>{title} must be a whole number, such as {example}.</source>
        <translation>يجب أن يكون «{title}» عددًا صحيحًا، مثل {example}.</translation>
    </message>
    <message>
        <source>{title} must be a number, such as {example}.</source>
        <translation>يجب أن يكون «{title}» رقمًا، مثل {example}.</translation>
    </message>
    <message>
        <source>Parameters of this thread</source>
        <translation>معاملات هذه المحادثة</translation>
    </message>
    <message>
        <source>Parameters of the project {name}</source>
        <translation>معاملات المشروع {name}</translation>
    </message>
    <message>
        <source>Parameters of {name}</source>
        <translation>معاملات {name}</translation>
    </message>
    <message>
        <source>Parameters of the assistant</source>
        <translation>معاملات المساعد</translation>
    </message>
    <message>
        <source>The model</source>
        <translation>النموذج</translation>
    </message>
    <message>
        <source>Used from the next answer on.</source>
        <translation>تُستخدم من الإجابة التالية فصاعدًا.</translation>
    </message>
    <message>
        <source>Used in threads that have none of their own.</source>
        <translation>تُستخدم في المحادثات التي ليست لها معاملات خاصة.</translation>
    </message>
    <message>
        <source>{others} or {last}</source>
        <translation>{others} أو {last}</translation>
    </message>
    <message>
        <source>{model} has no {parameters}.</source>
        <translation>ليس لـ {model} ما يلي: {parameters}.</translation>
    </message>
    <message>
        <source>Parameters: {parameters}</source>
        <translation>المعاملات: {parameters}</translation>
    </message>
    <message>
        <source>change the parameters</source>
        <translation>تغيير المعاملات</translation>
    </message>
    <message>
        <source>Saved. The next answer is made with these parameters.</source>
        <translation>حُفظت. تُنشأ الإجابة التالية بهذه المعاملات.</translation>
    </message>
    <message>
        <source>Saved for all threads of the project that have none of their own.</source>
        <translation>حُفظت لكل محادثات المشروع التي ليست لها معاملات خاصة.</translation>
    </message>
    <message>
        <source>Send it there</source>
        <translation>إرساله إلى هناك</translation>
    </message>
    <message>
        <source>Keep the temporary chat?</source>
        <translation>هل تريد الاحتفاظ بالدردشة المؤقتة؟</translation>
    </message>
    <message>
        <source>Nothing of it is stored. Keep it as a thread like any other, or let it go for good.</source>
        <translation>لا يُخزَّن منها شيء. احتفظ بها كأي محادثة أخرى، أو دعها تزول نهائيًا.</translation>
    </message>
    <message>
        <source>Do not keep</source>
        <translation>عدم الاحتفاظ</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>احتفاظ</translation>
    </message>
    <message>
        <source>Keep and go on</source>
        <translation>احتفاظ ومتابعة</translation>
    </message>
    <message>
        <source>The chat is kept as soon as the answer is written.</source>
        <translation>ستُحفظ الدردشة حالما تكتمل الإجابة.</translation>
    </message>
    <message>
        <source>Kept. It is a thread like any other now.</source>
        <translation>حُفظت. هي الآن كأي محادثة أخرى.</translation>
    </message>
    <message>
        <source>Temporary chat</source>
        <translation>دردشة مؤقتة</translation>
    </message>
    <message>
        <source>Go to the temporary chat</source>
        <translation>الانتقال إلى الدردشة المؤقتة</translation>
    </message>
    <message>
        <source>Save code</source>
        <translation>حفظ الكود</translation>
    </message>
    <message>
        <source>Save a copy</source>
        <translation>حفظ نسخة</translation>
    </message>
    <message>
        <source>Page of an answer</source>
        <translation>صفحة إجابة</translation>
    </message>
    <message>
        <source>No browser could be opened.</source>
        <translation>تعذّر فتح متصفّح.</translation>
    </message>
    <message>
        <source>Choose a browser in the settings of your system, or save the page as a file.</source>
        <translation>اختر متصفّحًا في إعدادات نظامك، أو احفظ الصفحة ملفًا.</translation>
    </message>
    <message>
        <source>Opened in your browser</source>
        <translation>فُتحت في متصفّحك</translation>
    </message>
    <message>
        <source>Saved to {name}</source>
        <translation>حُفظ في {name}</translation>
    </message>
    <message>
        <source>The message is unchanged.</source>
        <translation>الرسالة لم تتغيّر.</translation>
    </message>
    <message>
        <source>Undone</source>
        <translation>تم التراجع</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>إعادة</translation>
    </message>
    <message>
        <source>Redo</source>
        <comment>a step</comment>
        <translation>إعادة</translation>
    </message>
    <message>
        <source>This cannot be undone: {label}.</source>
        <translation>لا يمكن التراجع عن هذا: {label}.</translation>
    </message>
    <message>
        <source>{words} Before it: {older}, which was left as it is.</source>
        <translation>{words} قبله: {older}، وتُرك كما هو.</translation>
    </message>
    <message>
        <source>Undo that, too</source>
        <translation>التراجع عن ذلك أيضًا</translation>
    </message>
    <message>
        <source>Redone</source>
        <translation>تمت الإعادة</translation>
    </message>
    <message>
        <source>{what} in “{title}”: {label}</source>
        <translation>{what} في «{title}»: {label}</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages moved to the trash</source>
        <comment>Message moved to the trash</comment>
        <translation>
            <numerusform>لم تُنقل أي رسائل إلى سلة المهملات</numerusform>
            <numerusform>نُقلت الرسالة إلى سلة المهملات</numerusform>
            <numerusform>نُقلت رسالتان إلى سلة المهملات</numerusform>
            <numerusform>نُقلت {count} رسائل إلى سلة المهملات</numerusform>
            <numerusform>نُقلت {count} رسالة إلى سلة المهملات</numerusform>
            <numerusform>نُقلت {count} رسالة إلى سلة المهملات</numerusform>
        </translation>
    </message>
    <message>
        <source>your question</source>
        <translation>سؤالك</translation>
    </message>
    <message>
        <source>your draft</source>
        <translation>مسودتك</translation>
    </message>
    <message>
        <source>your artifact</source>
        <translation>ناتجك</translation>
    </message>
    <message numerus="yes">
        <source>{names} are not saved yet, but kept here. ChatDesk tries again.</source>
        <comment>{names} is not saved yet, but kept here. ChatDesk tries again.</comment>
        <translation>
            <numerusform>لم يُحفظ {names} بعد، لكنه باقٍ هنا. ويعيد ChatDesk المحاولة.</numerusform>
            <numerusform>لم يُحفظ {names} بعد، لكنه باقٍ هنا. ويعيد ChatDesk المحاولة.</numerusform>
            <numerusform>لم يُحفظ {names} بعد، لكنهما باقيان هنا. ويعيد ChatDesk المحاولة.</numerusform>
            <numerusform>لم تُحفظ {names} بعد، لكنها باقية هنا. ويعيد ChatDesk المحاولة.</numerusform>
            <numerusform>لم تُحفظ {names} بعد، لكنها باقية هنا. ويعيد ChatDesk المحاولة.</numerusform>
            <numerusform>لم تُحفظ {names} بعد، لكنها باقية هنا. ويعيد ChatDesk المحاولة.</numerusform>
        </translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by you</source>
        <translation>النسخة {number} من {count}، حرّرتَها أنت</translation>
    </message>
    <message>
        <source>Version {number} of {count}</source>
        <translation>النسخة {number} من {count}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by {name}</source>
        <translation>النسخة {number} من {count}، حرّرها {name}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, by {name}</source>
        <translation>النسخة {number} من {count}، كتبها {name}</translation>
    </message>
    <message>
        <source>Sent when the answer is complete:</source>
        <translation>يُرسَل عند اكتمال الإجابة:</translation>
    </message>
    <message>
        <source>Not sent: the answer before was not completed. Send it now, or edit it.</source>
        <translation>لم يُرسَل: الإجابة السابقة لم تكتمل. أرسله الآن، أو حرّره.</translation>
    </message>
    <message>
        <source>There is only one model yet: add another in Settings</source>
        <translation>لا يوجد سوى نموذج واحد بعد: أضف غيره في الإعدادات</translation>
    </message>
    <message>
        <source>Kept. The other answers stay as versions.</source>
        <translation>تم الاحتفاظ بها. وتبقى الإجابات الأخرى نسخًا.</translation>
    </message>
    <message>
        <source>Compare models</source>
        <translation>مقارنة النماذج</translation>
    </message>
    <message>
        <source>Search models</source>
        <translation>البحث في النماذج</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>مقارنة</translation>
    </message>
    <message>
        <source>Your questions in this thread go to {fewest} to {most} models at once, and each model costs what it costs alone. You keep the answer you like.</source>
        <translation>تذهب أسئلتك في هذه المحادثة إلى {fewest} إلى {most} من النماذج معًا، ويكلّف كل نموذج ما يكلّفه وحده. وتحتفظ بالإجابة التي تعجبك.</translation>
    </message>
    <message>
        <source>All passages of the project&apos;s files, and later what changes in them and each question, go to {provider}.</source>
        <translation>تُرسَل كل مقاطع ملفات المشروع إلى {provider}، ثم ما يتغيّر فيها وكل سؤال.</translation>
    </message>
    <message>
        <source>It is a server on this computer.</source>
        <translation>هو خادم على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>They leave this computer.</source>
        <translation>وهي تغادر هذا الحاسوب.</translation>
    </message>
    <message>
        <source>Now that is {texts}, about {tokens} tokens, in {requests}.</source>
        <translation>الآن يعني ذلك {texts}، أي نحو {tokens} من الرموز، في {requests}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages</source>
        <comment>{count} passage</comment>
        <translation>
            <numerusform>لا مقاطع</numerusform>
            <numerusform>مقطع واحد</numerusform>
            <numerusform>مقطعان</numerusform>
            <numerusform>{count} مقاطع</numerusform>
            <numerusform>{count} مقطعًا</numerusform>
            <numerusform>{count} مقطع</numerusform>
        </translation>
    </message>
    <message>
        <source>The price of {model} is not known.</source>
        <translation>سعر {model} غير معروف.</translation>
    </message>
    <message>
        <source>That costs about ${dollars}.</source>
        <translation>يكلّف ذلك نحو {dollars} $.</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk</source>
        <translation>المتّجهات المرفقة مع ChatDesk</translation>
    </message>
    <message>
        <source>Found by meaning with {name}.</source>
        <translation>بُحث بالمعنى باستخدام {name}.</translation>
    </message>
    <message>
        <source>{done} of {total} passages have vectors of {name}, which answers once all have.</source>
        <translation>{done} من أصل {total} من المقاطع لها متّجهات من {name}، ويُستخدم حين تكتمل كلها.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages wait for it.</source>
        <comment>{count} passage waits for it.</comment>
        <translation>
            <numerusform>لا مقاطع تنتظره.</numerusform>
            <numerusform>مقطع واحد ينتظره.</numerusform>
            <numerusform>مقطعان ينتظرانه.</numerusform>
            <numerusform>{count} مقاطع تنتظره.</numerusform>
            <numerusform>{count} مقطعًا تنتظره.</numerusform>
            <numerusform>{count} مقطع تنتظره.</numerusform>
        </translation>
    </message>
    <message>
        <source>The last question was compared by the vectors that come with ChatDesk: {reason}</source>
        <translation>قورن السؤال الأخير بالمتّجهات المرفقة مع ChatDesk: {reason}</translation>
    </message>
    <message>
        <source>{model} of {provider}</source>
        <translation>{model} من {provider}</translation>
    </message>
    <message>
        <source>An answer is ready</source>
        <translation>إجابة جاهزة</translation>
    </message>
    <message>
        <source>An answer failed</source>
        <translation>فشلت إجابة</translation>
    </message>
    <message>
        <source>{server_name} waits for your approval</source>
        <translation>{server_name} ينتظر موافقتك</translation>
    </message>
    <message>
        <source>ChatDesk cannot be started at login from here.</source>
        <translation>لا يمكن من هنا تشغيل ChatDesk عند تسجيل الدخول.</translation>
    </message>
    <message>
        <source>Add it to the programs that your system starts at login.</source>
        <translation>أضفه إلى البرامج التي يشغّلها نظامك عند تسجيل الدخول.</translation>
    </message>
    <message>
        <source>The file for starting at login could not be changed: {strerror}.</source>
        <translation>تعذّر تغيير ملف التشغيل عند تسجيل الدخول: {strerror}.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>فتح</translation>
    </message>
    <message>
        <source>They show the quick window in whatever program you are.</source>
        <translation>تُظهر النافذة السريعة في أي برنامج كنت.</translation>
    </message>
    <message>
        <source>The environment variable {name} decides this.</source>
        <translation>متغيّر البيئة {name} يحدّد هذا.</translation>
    </message>
    <message>
        <source>Keys for a quick question</source>
        <translation>مفاتيح السؤال السريع</translation>
    </message>
    <message>
        <source>Command: {command}</source>
        <translation>الأمر: {command}</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>نسخ الأمر</translation>
    </message>
    <message>
        <source>Asking the desktop for the keys. It may show you a question.</source>
        <translation>يجري طلب المفاتيح من سطح المكتب. وقد يعرض عليك سؤالًا.</translation>
    </message>
    <message>
        <source>The desktop shows it at: {keys}.</source>
        <translation>يُظهرها سطح المكتب عند: {keys}.</translation>
    </message>
    <message>
        <source>The keys work.</source>
        <translation>المفاتيح تعمل.</translation>
    </message>
    <message>
        <source>The desktop did not give ChatDesk these keys. Try again, or bind this command to keys in your desktop&apos;s settings:</source>
        <translation>لم يعطِ سطح المكتب ChatDesk هذه المفاتيح. أعد المحاولة، أو اربط هذا الأمر بمفاتيح في إعدادات سطح المكتب:</translation>
    </message>
    <message>
        <source>The desktop has no name for {keys}. Choose other keys, or bind this command in your desktop&apos;s settings:</source>
        <translation>ليس لدى سطح المكتب اسم لـ {keys}. اختر مفاتيح أخرى، أو اربط هذا الأمر في إعدادات سطح المكتب:</translation>
    </message>
    <message>
        <source>This desktop gives no keys to programs. Bind this command to keys in your desktop&apos;s settings:</source>
        <translation>لا يعطي سطح المكتب هذا مفاتيح للبرامج. اربط هذا الأمر بمفاتيح في إعدادات سطح المكتب:</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers being written</source>
        <comment>{count} answer being written</comment>
        <translation>
            <numerusform>لا إجابات قيد الكتابة</numerusform>
            <numerusform>إجابة واحدة قيد الكتابة</numerusform>
            <numerusform>إجابتان قيد الكتابة</numerusform>
            <numerusform>{count} إجابات قيد الكتابة</numerusform>
            <numerusform>{count} إجابة قيد الكتابة</numerusform>
            <numerusform>{count} إجابة قيد الكتابة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} unread messages</source>
        <comment>{count} unread message</comment>
        <translation>
            <numerusform>لا رسائل غير مقروءة</numerusform>
            <numerusform>رسالة واحدة غير مقروءة</numerusform>
            <numerusform>رسالتان غير مقروءتين</numerusform>
            <numerusform>{count} رسائل غير مقروءة</numerusform>
            <numerusform>{count} رسالة غير مقروءة</numerusform>
            <numerusform>{count} رسالة غير مقروءة</numerusform>
        </translation>
    </message>
    <message>
        <source>Open ChatDesk</source>
        <translation>فتح ChatDesk</translation>
    </message>
    <message>
        <source>Quit ChatDesk</source>
        <translation>إنهاء ChatDesk</translation>
    </message>
    <message>
        <source>The summary is out of date and not sent. Make it again to have it sent.</source>
        <translation>الملخّص قديم ولا يُرسَل. أنشئه من جديد ليُرسَل.</translation>
    </message>
    <message>
        <source>summary out of date</source>
        <translation>الملخّص قديم</translation>
    </message>
    <message numerus="yes">
        <source>≈ {count} tokens</source>
        <comment>≈ {count} token</comment>
        <translation>
            <numerusform>≈ لا رموز</numerusform>
            <numerusform>≈ رمز واحد</numerusform>
            <numerusform>≈ رمزان</numerusform>
            <numerusform>≈ {count} رموز</numerusform>
            <numerusform>≈ {count} رمزًا</numerusform>
            <numerusform>≈ {count} رمز</numerusform>
        </translation>
    </message>
    <message>
        <source>About {used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>نحو {used} من {window} من الرموز مشغولة؛ و{reserved} محفوظة للإجابة.</translation>
    </message>
    <message>
        <source>{used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>{used} من {window} من الرموز مشغولة؛ و{reserved} محفوظة للإجابة.</translation>
    </message>
    <message>
        <source>Your message alone does not fit: shorten it, attach it, or choose a larger model.</source>
        <translation>رسالتك وحدها لا يتسع لها المكان: اختصرها، أو أرفقها، أو اختر نموذجًا أكبر.</translation>
    </message>
    <message numerus="yes">
        <source>It is full: {count} older messages stay behind because of what you are writing.</source>
        <comment>It is full: {count} older message stays behind because of what you are writing.</comment>
        <translation>
            <numerusform>ممتلئ: لا رسائل تُترك.</numerusform>
            <numerusform>ممتلئ: تُترك رسالة أقدم واحدة بسبب ما تكتبه.</numerusform>
            <numerusform>ممتلئ: تُترك رسالتان أقدم بسبب ما تكتبه.</numerusform>
            <numerusform>ممتلئ: تُترك {count} رسائل أقدم بسبب ما تكتبه.</numerusform>
            <numerusform>ممتلئ: تُترك {count} رسالة أقدم بسبب ما تكتبه.</numerusform>
            <numerusform>ممتلئ: تُترك {count} رسالة أقدم بسبب ما تكتبه.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is full: the oldest messages stay behind when you send.</source>
        <translation>ممتلئ: تُترك أقدم الرسائل عند الإرسال.</translation>
    </message>
    <message>
        <source>{free} tokens are free before older messages stay behind.</source>
        <translation>{free} من الرموز شاغرة قبل أن تُترك الرسائل الأقدم.</translation>
    </message>
    <message>
        <source>The count is an estimate for this model.</source>
        <translation>العدد تقديري لهذا النموذج.</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>السياق</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>الملخّص</translation>
    </message>
    <message>
        <source>Usage</source>
        <translation>الاستخدام</translation>
    </message>
    <message>
        <source>Tree</source>
        <translation>الشجرة</translation>
    </message>
    <message>
        <source>Questions</source>
        <translation>الأسئلة</translation>
    </message>
    <message>
        <source>Artifacts</source>
        <translation>النواتج</translation>
    </message>
    <message>
        <source>Pinned: it goes with every question of this thread</source>
        <translation>مثبّت: يُرسَل مع كل سؤال في هذه المحادثة</translation>
    </message>
    <message>
        <source>Left out of this thread</source>
        <translation>مستبعَد من هذه المحادثة</translation>
    </message>
    <message>
        <source>Sent where it fits the question</source>
        <translation>يُرسَل حين يناسب السؤال</translation>
    </message>
    <message>
        <source>Hide the inspector</source>
        <translation>إخفاء المفتِّش</translation>
    </message>
    <message>
        <source>Show the inspector</source>
        <translation>إظهار المفتِّش</translation>
    </message>
    <message>
        <source>Request copied</source>
        <translation>نُسخ الطلب</translation>
    </message>
    <message>
        <source>The summary is being made in the background</source>
        <translation>يُنشأ الملخّص في الخلفية</translation>
    </message>
    <message>
        <source>The older messages of this thread no longer fit.</source>
        <translation>الرسائل الأقدم في هذه المحادثة لم يعد يتسع لها المكان.</translation>
    </message>
    <message>
        <source>{taken} so far.</source>
        <translation>{taken} حتى الآن.</translation>
    </message>
    <message>
        <source>No price is known for {model}.</source>
        <translation>لا سعر معروف لـ {model}.</translation>
    </message>
    <message>
        <source>Until then only the newest messages are sent.</source>
        <translation>إلى ذلك الحين تُرسَل أحدث الرسائل فقط.</translation>
    </message>
    <message numerus="yes">
        <source>Summarising the older messages: {requests} of about {count} requests, {spent}.</source>
        <comment>Summarising the older messages: {requests} of about {count} request, {spent}.</comment>
        <translation>
            <numerusform>تلخيص الرسائل الأقدم: {requests} طلب، {spent}.</numerusform>
            <numerusform>تلخيص الرسائل الأقدم: {requests} من نحو طلب واحد، {spent}.</numerusform>
            <numerusform>تلخيص الرسائل الأقدم: {requests} من نحو طلبين، {spent}.</numerusform>
            <numerusform>تلخيص الرسائل الأقدم: {requests} من نحو {count} طلبات، {spent}.</numerusform>
            <numerusform>تلخيص الرسائل الأقدم: {requests} من نحو {count} طلبًا، {spent}.</numerusform>
            <numerusform>تلخيص الرسائل الأقدم: {requests} من نحو {count} طلب، {spent}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Older messages summarised: {taken}</source>
        <translation>لُخّصت الرسائل الأقدم: {taken}</translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens.</comment>
        <translation>
            <numerusform>تلخيصها بـ {model} لا يحتاج إلى طلبات، و{tokens} من الرموز.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو طلب واحد و{tokens} من الرموز.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو طلبين و{tokens} من الرموز.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو {count} طلبات و{tokens} من الرموز.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو {count} طلبًا و{tokens} من الرموز.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو {count} طلب و{tokens} من الرموز.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, at no cost.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, at no cost.</comment>
        <translation>
            <numerusform>تلخيصها بـ {model} لا يحتاج إلى طلبات، و{tokens} من الرموز، بلا تكلفة.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو طلب واحد و{tokens} من الرموز، بلا تكلفة.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو طلبين و{tokens} من الرموز، بلا تكلفة.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو {count} طلبات و{tokens} من الرموز، بلا تكلفة.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو {count} طلبًا و{tokens} من الرموز، بلا تكلفة.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو {count} طلب و{tokens} من الرموز، بلا تكلفة.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, about {cost}.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, about {cost}.</comment>
        <translation>
            <numerusform>تلخيصها بـ {model} لا يحتاج إلى طلبات، و{tokens} من الرموز، نحو {cost}.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو طلب واحد و{tokens} من الرموز، نحو {cost}.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو طلبين و{tokens} من الرموز، نحو {cost}.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو {count} طلبات و{tokens} من الرموز، نحو {cost}.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو {count} طلبًا و{tokens} من الرموز، نحو {cost}.</numerusform>
            <numerusform>تلخيصها بـ {model} يحتاج إلى نحو {count} طلب و{tokens} من الرموز، نحو {cost}.</numerusform>
        </translation>
    </message>
    <message>
        <source>the server&apos;s own model</source>
        <translation>النموذج الخاص بالخادم</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests, {spent}</source>
        <comment>{count} request, {spent}</comment>
        <translation>
            <numerusform>لا طلبات، {spent}</numerusform>
            <numerusform>طلب واحد، {spent}</numerusform>
            <numerusform>طلبان، {spent}</numerusform>
            <numerusform>{count} طلبات، {spent}</numerusform>
            <numerusform>{count} طلبًا، {spent}</numerusform>
            <numerusform>{count} طلب، {spent}</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} tokens, {cost}</source>
        <translation>الرموز: {tokens}، {cost}</translation>
    </message>
    <message>
        <source>{tokens} tokens</source>
        <translation>الرموز: {tokens}</translation>
    </message>
    <message>
        <source>Summarise</source>
        <translation>تلخيص</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>ليس الآن</translation>
    </message>
    <message>
        <source>Pinned into the context</source>
        <translation>ثُبّتت في السياق</translation>
    </message>
    <message>
        <source>Excluded from the context</source>
        <translation>استُبعدت من السياق</translation>
    </message>
    <message>
        <source>Sent as it fits</source>
        <translation>تُرسَل بقدر ما يتسع المكان</translation>
    </message>
    <message>
        <source>The context starts here</source>
        <translation>السياق يبدأ من هنا</translation>
    </message>
    <message>
        <source>The context starts at the beginning</source>
        <translation>السياق يبدأ من البداية</translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation>مثبّتة</translation>
    </message>
    <message>
        <source>No longer pinned</source>
        <translation>لم تعد مثبّتة</translation>
    </message>
    <message>
        <source>Archived</source>
        <translation>مؤرشفة</translation>
    </message>
    <message>
        <source>Out of the archive</source>
        <translation>خارج الأرشيف</translation>
    </message>
    <message>
        <source>Moved to the trash</source>
        <translation>نُقلت إلى سلة المهملات</translation>
    </message>
    <message>
        <source>Restored</source>
        <translation>استُعيدت</translation>
    </message>
    <message>
        <source>Moved to {name}</source>
        <translation>نُقلت إلى {name}</translation>
    </message>
    <message>
        <source>Tags changed</source>
        <translation>تغيّرت الوسوم</translation>
    </message>
    <message>
        <source>1 thread</source>
        <translation>محادثة واحدة</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good?</source>
        <comment>Delete this thread for good?</comment>
        <translation>
            <numerusform>لا محادثات للحذف نهائيًا. هل تتابع؟</numerusform>
            <numerusform>هل تريد حذف هذه المحادثة نهائيًا؟</numerusform>
            <numerusform>هل تريد حذف محادثتين نهائيًا؟</numerusform>
            <numerusform>هل تريد حذف {count} محادثات نهائيًا؟</numerusform>
            <numerusform>هل تريد حذف {count} محادثة نهائيًا؟</numerusform>
            <numerusform>هل تريد حذف {count} محادثة نهائيًا؟</numerusform>
        </translation>
    </message>
    <message>
        <source>{title}: all messages are removed. This cannot be undone.</source>
        <translation>{title}: تُزال كل الرسائل. لا يمكن التراجع عن هذا.</translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation>حذف نهائي</translation>
    </message>
    <message>
        <source>The trash is empty.</source>
        <translation>سلة المهملات فارغة.</translation>
    </message>
    <message>
        <source>Empty the trash?</source>
        <translation>هل تريد إفراغ سلة المهملات؟</translation>
    </message>
    <message>
        <source>Empty the trash</source>
        <translation>إفراغ سلة المهملات</translation>
    </message>
    <message>
        <source>delete for good</source>
        <translation>حذف نهائي</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are gone.</source>
        <comment>{count} thread is gone.</comment>
        <translation>
            <numerusform>لم تُحذف أي محادثات.</numerusform>
            <numerusform>اختفت محادثة واحدة.</numerusform>
            <numerusform>اختفت محادثتان.</numerusform>
            <numerusform>اختفت {count} محادثات.</numerusform>
            <numerusform>اختفت {count} محادثة.</numerusform>
            <numerusform>اختفت {count} محادثة.</numerusform>
        </translation>
    </message>
    <message>
        <source>rename tag</source>
        <translation>إعادة تسمية الوسم</translation>
    </message>
    <message>
        <source>The tag is called {name} now</source>
        <translation>صار اسم الوسم {name}</translation>
    </message>
    <message>
        <source>The tag was deleted; its threads stay</source>
        <translation>حُذف الوسم؛ وبقيت محادثاته</translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin thread</comment>
        <translation>
            <numerusform>تثبيت لا محادثات</numerusform>
            <numerusform>تثبيت المحادثة</numerusform>
            <numerusform>تثبيت محادثتين</numerusform>
            <numerusform>تثبيت {count} محادثات</numerusform>
            <numerusform>تثبيت {count} محادثة</numerusform>
            <numerusform>تثبيت {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin thread</comment>
        <translation>
            <numerusform>إلغاء تثبيت لا محادثات</numerusform>
            <numerusform>إلغاء تثبيت المحادثة</numerusform>
            <numerusform>إلغاء تثبيت محادثتين</numerusform>
            <numerusform>إلغاء تثبيت {count} محادثات</numerusform>
            <numerusform>إلغاء تثبيت {count} محادثة</numerusform>
            <numerusform>إلغاء تثبيت {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive thread</comment>
        <translation>
            <numerusform>أرشفة لا محادثات</numerusform>
            <numerusform>أرشفة المحادثة</numerusform>
            <numerusform>أرشفة محادثتين</numerusform>
            <numerusform>أرشفة {count} محادثات</numerusform>
            <numerusform>أرشفة {count} محادثة</numerusform>
            <numerusform>أرشفة {count} محادثة</numerusform>
        </translation>
    </message>
    <message>
        <source>Take out of the archive</source>
        <translation>إخراج من الأرشيف</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete thread for good…</comment>
        <translation>
            <numerusform>حذف لا محادثات نهائيًا…</numerusform>
            <numerusform>حذف المحادثة نهائيًا…</numerusform>
            <numerusform>حذف محادثتين نهائيًا…</numerusform>
            <numerusform>حذف {count} محادثات نهائيًا…</numerusform>
            <numerusform>حذف {count} محادثة نهائيًا…</numerusform>
            <numerusform>حذف {count} محادثة نهائيًا…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete thread</comment>
        <translation>
            <numerusform>حذف لا محادثات</numerusform>
            <numerusform>حذف المحادثة</numerusform>
            <numerusform>حذف محادثتين</numerusform>
            <numerusform>حذف {count} محادثات</numerusform>
            <numerusform>حذف {count} محادثة</numerusform>
            <numerusform>حذف {count} محادثة</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort threads by last activity</source>
        <translation>فرز المحادثات حسب آخر نشاط</translation>
    </message>
    <message>
        <source>Sort threads by name</source>
        <translation>فرز المحادثات حسب الاسم</translation>
    </message>
    <message>
        <source>Group threads by date</source>
        <translation>تجميع المحادثات حسب التاريخ</translation>
    </message>
    <message>
        <source>Group threads by project</source>
        <translation>تجميع المحادثات حسب المشروع</translation>
    </message>
    <message>
        <source>Sorted by name</source>
        <translation>مفروز حسب الاسم</translation>
    </message>
    <message>
        <source>Sorted by last activity</source>
        <translation>مفروز حسب آخر نشاط</translation>
    </message>
    <message>
        <source>Grouped by project</source>
        <translation>مُجمَّع حسب المشروع</translation>
    </message>
    <message>
        <source>Grouped by date</source>
        <translation>مُجمَّع حسب التاريخ</translation>
    </message>
    <message>
        <source>Move to a project</source>
        <translation>نقل إلى مشروع</translation>
    </message>
    <message>
        <source>Move to a project: {what}</source>
        <translation>نقل إلى مشروع: {what}</translation>
    </message>
    <message>
        <source>Teal</source>
        <translation>أزرق مخضر</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>أزرق</translation>
    </message>
    <message>
        <source>Indigo</source>
        <translation>نيلي</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>بنفسجي</translation>
    </message>
    <message>
        <source>Magenta</source>
        <translation>أرجواني</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>أحمر</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>برتقالي</translation>
    </message>
    <message>
        <source>Olive</source>
        <translation>زيتوني</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>أخضر</translation>
    </message>
    <message>
        <source>Slate</source>
        <translation>رمادي أردوازي</translation>
    </message>
    <message>
        <source>The current colour</source>
        <translation>اللون الحالي</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>مشروع جديد</translation>
    </message>
    <message>
        <source>Edit project</source>
        <translation>تحرير المشروع</translation>
    </message>
    <message>
        <source>Name of the project</source>
        <translation>اسم المشروع</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>الاسم</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>اللون</translation>
    </message>
    <message>
        <source>New threads begin with</source>
        <translation>تبدأ المحادثات الجديدة بـ</translation>
    </message>
    <message>
        <source>Folder of the project</source>
        <translation>مجلّد المشروع</translation>
    </message>
    <message>
        <source>Folder on this computer, for tools (optional)</source>
        <translation>مجلّد على هذا الحاسوب، للأدوات (اختياري)</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>إنشاء</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>التعليمات</translation>
    </message>
    <message>
        <source>For example: answer as an editor would, in British English.</source>
        <translation>مثلًا: أجب كما يجيب محرِّر، بالعربية الفصحى.</translation>
    </message>
    <message>
        <source>Instructions for its threads (optional)</source>
        <translation>تعليمات لمحادثاته (اختياري)</translation>
    </message>
    <message>
        <source>Model that new threads begin with</source>
        <translation>النموذج الذي تبدأ به المحادثات الجديدة</translation>
    </message>
    <message>
        <source>The model chosen in the settings</source>
        <translation>النموذج المختار في الإعدادات</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>الأرشيف</translation>
    </message>
    <message>
        <source>Move out of the archive</source>
        <translation>نقل خارج الأرشيف</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>verb</comment>
        <translation>أرشفة</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>حذف…</translation>
    </message>
    <message>
        <source>All projects</source>
        <translation>كل المشاريع</translation>
    </message>
    <message>
        <source>Edit {name}…</source>
        <translation>تحرير {name}…</translation>
    </message>
    <message>
        <source>Sharing of {name}…</source>
        <translation>إدارة مشاركة {name}…</translation>
    </message>
    <message>
        <source>Share {name}…</source>
        <translation>مشاركة {name}…</translation>
    </message>
    <message>
        <source>In the trash</source>
        <translation>في سلة المهملات</translation>
    </message>
    <message>
        <source>add project</source>
        <translation>إضافة مشروع</translation>
    </message>
    <message>
        <source>change project</source>
        <translation>تغيير المشروع</translation>
    </message>
    <message>
        <source>The project was changed</source>
        <translation>تغيّر المشروع</translation>
    </message>
    <message>
        <source>archive project</source>
        <translation>أرشفة المشروع</translation>
    </message>
    <message>
        <source>unarchive project</source>
        <translation>إلغاء أرشفة المشروع</translation>
    </message>
    <message>
        <source>Archived: {name}</source>
        <translation>مؤرشف: {name}</translation>
    </message>
    <message>
        <source>Out of the archive: {name}</source>
        <translation>خارج الأرشيف: {name}</translation>
    </message>
    <message>
        <source>Delete the project “{name}”?</source>
        <translation>هل تريد حذف المشروع «{name}»؟</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>نقل إلى سلة المهملات</translation>
    </message>
    <message>
        <source>Moved to the trash: {name}</source>
        <translation>نُقل إلى سلة المهملات: {name}</translation>
    </message>
    <message>
        <source>The project was restored</source>
        <translation>استُعيد المشروع</translation>
    </message>
    <message>
        <source>Take project out of the archive</source>
        <translation>إخراج المشروع من الأرشيف</translation>
    </message>
    <message>
        <source>Archive project</source>
        <translation>أرشفة المشروع</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it ({archived} archived).</source>
        <comment>{count} thread goes to the trash with it ({archived} archived).</comment>
        <translation>
            <numerusform>لا محادثات تنتقل معه ({archived} مؤرشفة).</numerusform>
            <numerusform>تنتقل معه محادثة واحدة إلى سلة المهملات ({archived} مؤرشفة).</numerusform>
            <numerusform>تنتقل معه محادثتان إلى سلة المهملات ({archived} مؤرشفة).</numerusform>
            <numerusform>تنتقل معه {count} محادثات إلى سلة المهملات ({archived} مؤرشفة).</numerusform>
            <numerusform>تنتقل معه {count} محادثة إلى سلة المهملات ({archived} مؤرشفة).</numerusform>
            <numerusform>تنتقل معه {count} محادثة إلى سلة المهملات ({archived} مؤرشفة).</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it.</source>
        <comment>{count} thread goes to the trash with it.</comment>
        <translation>
            <numerusform>لا محادثات تنتقل معه إلى سلة المهملات.</numerusform>
            <numerusform>تنتقل معه محادثة واحدة إلى سلة المهملات.</numerusform>
            <numerusform>تنتقل معه محادثتان إلى سلة المهملات.</numerusform>
            <numerusform>تنتقل معه {count} محادثات إلى سلة المهملات.</numerusform>
            <numerusform>تنتقل معه {count} محادثة إلى سلة المهملات.</numerusform>
            <numerusform>تنتقل معه {count} محادثة إلى سلة المهملات.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All of it can be restored for {count} days.</source>
        <comment>All of it can be restored for {count} day.</comment>
        <translation>
            <numerusform>لا يمكن استعادته.</numerusform>
            <numerusform>تمكن استعادته كله مدة يوم واحد.</numerusform>
            <numerusform>تمكن استعادته كله مدة يومين.</numerusform>
            <numerusform>تمكن استعادته كله مدة {count} أيام.</numerusform>
            <numerusform>تمكن استعادته كله مدة {count} يومًا.</numerusform>
            <numerusform>تمكن استعادته كله مدة {count} يوم.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} ({number}, made {day})</source>
        <translation>{name} ({number}، أُنشئ {day})</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads of all projects, with all messages, will be removed. This cannot be undone.</source>
        <comment>{count} thread of all projects, with all messages, will be removed. This cannot be undone.</comment>
        <translation>
            <numerusform>لا محادثات ستُزال.</numerusform>
            <numerusform>ستُزال محادثة واحدة من كل المشاريع، بكل رسائلها. لا يمكن التراجع عن هذا.</numerusform>
            <numerusform>ستُزال محادثتان من كل المشاريع، بكل رسائلهما. لا يمكن التراجع عن هذا.</numerusform>
            <numerusform>ستُزال {count} محادثات من كل المشاريع، بكل رسائلها. لا يمكن التراجع عن هذا.</numerusform>
            <numerusform>ستُزال {count} محادثة من كل المشاريع، بكل رسائلها. لا يمكن التراجع عن هذا.</numerusform>
            <numerusform>ستُزال {count} محادثة من كل المشاريع، بكل رسائلها. لا يمكن التراجع عن هذا.</numerusform>
        </translation>
    </message>
    <message>
        <source>In shared projects it erases for everyone what you wrote, or all of it where you are an owner or admin. The rest is hidden on this computer only.</source>
        <translation>في المشاريع المشتركة يمحو هذا عند الجميع ما كتبته أنت، أو كله حيث تكون مالكًا أو مشرفًا. والباقي يُخفى على هذا الحاسوب فقط.</translation>
    </message>
    <message>
        <source>Tags: {what}</source>
        <translation>الوسوم: {what}</translation>
    </message>
    <message>
        <source>New tag</source>
        <translation>وسم جديد</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>إعادة تسمية</translation>
    </message>
    <message>
        <source>There are no tags yet. Put one on a thread with “Tags…” in its menu.</source>
        <translation>لا توجد وسوم بعد. ضع واحدًا على محادثة باستخدام «الوسوم…» في قائمتها.</translation>
    </message>
    <message>
        <source>Close the open dialog first, then open the link again. Nothing was changed.</source>
        <translation>أغلق مربّع الحوار المفتوح أولًا، ثم افتح الرابط من جديد. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>The message of the link is not shown in this thread: it was deleted, or is in another version.</source>
        <translation>رسالة الرابط غير معروضة في هذه المحادثة: حُذفت، أو هي في نسخة أخرى.</translation>
    </message>
    <message>
        <source>The thread of this link is not on this computer.</source>
        <translation>محادثة هذا الرابط ليست على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>If it belongs to a project that is shared with you, wait until it is synced, then open the link again.</source>
        <translation>إن كانت تتبع مشروعًا مشتركًا معك، فانتظر حتى يُزامَن، ثم افتح الرابط من جديد.</translation>
    </message>
    <message>
        <source>A temporary chat has no link, because nothing of it is stored.</source>
        <translation>ليس للدردشة المؤقتة رابط، لأنه لا يُخزَّن منها شيء.</translation>
    </message>
    <message>
        <source>Link copied. It opens the thread on your computers that have it.</source>
        <translation>نُسخ الرابط. وهو يفتح المحادثة على حواسيبك التي توجد عليها.</translation>
    </message>
    <message>
        <source>Revoke the token “{name}”?</source>
        <translation>هل تريد إبطال رمز الوصول «{name}»؟</translation>
    </message>
    <message>
        <source>Programs that use it are refused from now on, and what they are doing ends. This cannot be undone.</source>
        <translation>تُرفض البرامج التي تستخدمه من الآن فصاعدًا، وينتهي ما تفعله. لا يمكن التراجع عن هذا.</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>إبطال</translation>
    </message>
    <message>
        <source>Editors, scripts and browsers of this computer read, write and ask over HTTP, with a token of yours.</source>
        <translation>محرِّرات هذا الحاسوب وبرامجه النصية ومتصفّحاته تقرأ وتكتب وتسأل عبر HTTP، برمز وصول منك.</translation>
    </message>
    <message>
        <source>Turn the service on to make tokens and to see the existing ones.</source>
        <translation>شغّل الخدمة لإنشاء رموز وصول ورؤية الموجود منها.</translation>
    </message>
    <message>
        <source>There are no tokens. Each program gets one of its own.</source>
        <translation>لا توجد رموز وصول. ويحصل كل برنامج على رمزه الخاص.</translation>
    </message>
    <message>
        <source>The environment variable {fixed_by} decides this.</source>
        <translation>متغيّر البيئة {fixed_by} يحدّد هذا.</translation>
    </message>
    <message>
        <source>Copy address</source>
        <translation>نسخ العنوان</translation>
    </message>
    <message>
        <source>New token…</source>
        <translation>رمز وصول جديد…</translation>
    </message>
    <message>
        <source>On, at {address}</source>
        <translation>مشغّلة، على {address}</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>جارٍ البدء…</translation>
    </message>
    <message>
        <source>Tokens</source>
        <comment>access</comment>
        <translation>رموز الوصول</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>الرموز</translation>
    </message>
    <message>
        <source>The address is in the clipboard.</source>
        <translation>العنوان في الحافظة.</translation>
    </message>
    <message>
        <source>Revoke…</source>
        <translation>إبطال…</translation>
    </message>
    <message>
        <source>Revoke {name}</source>
        <translation>إبطال {name}</translation>
    </message>
    <message>
        <source>a project in the trash</source>
        <translation>مشروع في سلة المهملات</translation>
    </message>
    <message>
        <source>all projects</source>
        <translation>كل المشاريع</translation>
    </message>
    <message>
        <source>until {moment}</source>
        <translation>حتى {moment}</translation>
    </message>
    <message>
        <source>last used {moment}</source>
        <translation>آخر استخدام {moment}</translation>
    </message>
    <message>
        <source>30 days</source>
        <translation>٣٠ يومًا</translation>
    </message>
    <message>
        <source>90 days</source>
        <translation>٩٠ يومًا</translation>
    </message>
    <message>
        <source>A year</source>
        <translation>سنة</translation>
    </message>
    <message>
        <source>Until it is revoked</source>
        <translation>إلى أن يُبطَل</translation>
    </message>
    <message>
        <source>New token</source>
        <translation>رمز وصول جديد</translation>
    </message>
    <message>
        <source>What will use it</source>
        <translation>ما الذي سيستخدمه</translation>
    </message>
    <message>
        <source>For example: editor</source>
        <translation>مثلًا: محرِّر</translation>
    </message>
    <message>
        <source>Valid for</source>
        <translation>مدة الصلاحية</translation>
    </message>
    <message>
        <source>The token</source>
        <translation>رمز الوصول</translation>
    </message>
    <message>
        <source>Copy the token</source>
        <translation>نسخ رمز الوصول</translation>
    </message>
    <message>
        <source>Make token</source>
        <translation>إنشاء رمز وصول</translation>
    </message>
    <message>
        <source>In these projects only</source>
        <translation>في هذه المشاريع فقط</translation>
    </message>
    <message>
        <source>None chosen: in all of them.</source>
        <translation>لم يُختر شيء: في كل المشاريع.</translation>
    </message>
    <message>
        <source>This is the token for “{name}”. It is shown only now and stored nowhere: copy it to where it is used.</source>
        <translation>هذا رمز الوصول لـ «{name}». لا يظهر إلا الآن ولا يُخزَّن في أي مكان: انسخه إلى حيث يُستخدم.</translation>
    </message>
    <message>
        <source>It may</source>
        <translation>يجوز له</translation>
    </message>
    <message>
        <source>Say what will use it.</source>
        <translation>حدّد ما الذي سيستخدمه.</translation>
    </message>
    <message>
        <source>Choose what it may do.</source>
        <translation>اختر ما يجوز له فعله.</translation>
    </message>
    <message>
        <source>Making the token…</source>
        <translation>يجري إنشاء رمز الوصول…</translation>
    </message>
    <message>
        <source>The token is in the clipboard.</source>
        <translation>رمز الوصول في الحافظة.</translation>
    </message>
    <message>
        <source>Text size {percent}%</source>
        <translation>حجم النص {percent}%</translation>
    </message>
    <message>
        <source>Assistant</source>
        <translation>المساعد</translation>
    </message>
    <message>
        <source>Assistant: {name}</source>
        <translation>المساعد: {name}</translation>
    </message>
    <message>
        <source>No assistant</source>
        <translation>بلا مساعد</translation>
    </message>
    <message>
        <source>Edit assistants…</source>
        <translation>تحرير المساعدين…</translation>
    </message>
    <message>
        <source>choose assistant</source>
        <translation>اختيار مساعد</translation>
    </message>
    <message>
        <source>Assistants, files and resources</source>
        <translation>المساعدون والملفات والموارد</translation>
    </message>
    <message>
        <source>Their instructions, models, tools and files</source>
        <translation>تعليماتهم ونماذجهم وأدواتهم وملفاتهم</translation>
    </message>
    <message>
        <source>New assistant…</source>
        <translation>مساعد جديد…</translation>
    </message>
    <message>
        <source>A prompt with a model, tools and files of its own, asked with @</source>
        <translation>موجِّه له نموذج وأدوات وملفات خاصة، يُسأل بعلامة @</translation>
    </message>
    <message numerus="yes">
        <source>{count} names, arrows choose, Enter takes it, Esc closes.</source>
        <comment>{count} name, arrows choose, Enter takes it, Esc closes.</comment>
        <translation>
            <numerusform>لا أسماء، Esc يغلق.</numerusform>
            <numerusform>اسم واحد، الأسهم تختار، Enter يأخذه، Esc يغلق.</numerusform>
            <numerusform>اسمان، الأسهم تختار، Enter يأخذه، Esc يغلق.</numerusform>
            <numerusform>{count} أسماء، الأسهم تختار، Enter يأخذه، Esc يغلق.</numerusform>
            <numerusform>{count} اسمًا، الأسهم تختار، Enter يأخذه، Esc يغلق.</numerusform>
            <numerusform>{count} اسم، الأسهم تختار، Enter يأخذه، Esc يغلق.</numerusform>
        </translation>
    </message>
    <message>
        <source>Files of the assistant</source>
        <translation>ملفات المساعد</translation>
    </message>
    <message>
        <source>Sparkles</source>
        <translation>بريق</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>دماغ</translation>
    </message>
    <message>
        <source>Light bulb</source>
        <translation>مصباح</translation>
    </message>
    <message>
        <source>Wand</source>
        <translation>عصا سحرية</translation>
    </message>
    <message>
        <source>Pencil</source>
        <translation>قلم رصاص</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>كود</translation>
    </message>
    <message>
        <source>Terminal</source>
        <translation>طرفية</translation>
    </message>
    <message>
        <source>Magnifier</source>
        <translation>عدسة مكبّرة</translation>
    </message>
    <message>
        <source>Languages</source>
        <translation>لغات</translation>
    </message>
    <message>
        <source>Letter</source>
        <translation>رسالة بريد</translation>
    </message>
    <message>
        <source>Checklist</source>
        <translation>قائمة مهام</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>جدول</translation>
    </message>
    <message>
        <source>Database</source>
        <translation>قاعدة بيانات</translation>
    </message>
    <message>
        <source>Palette</source>
        <translation>لوحة ألوان</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>صورة</translation>
    </message>
    <message>
        <source>Gauge</source>
        <translation>مقياس</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>نجمة</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>شخص</translation>
    </message>
    <message>
        <source>People</source>
        <translation>أشخاص</translation>
    </message>
    <message>
        <source>As in the thread</source>
        <translation>كما في المحادثة</translation>
    </message>
    <message>
        <source>Icon</source>
        <translation>الأيقونة</translation>
    </message>
    <message>
        <source>Model that answers</source>
        <translation>النموذج الذي يجيب</translation>
    </message>
    <message>
        <source>Find by meaning with</source>
        <translation>وسيلة البحث بالمعنى</translation>
    </message>
    <message>
        <source>The vectors that come with ChatDesk are made on this computer and know English best. A model for embeddings of a provider knows more languages, and gets the texts of the files.</source>
        <translation>تُنشأ المتّجهات المرفقة مع ChatDesk على هذا الحاسوب، والإنجليزية أفضل ما تعرفه. أما نموذج التضمينات لدى مزوّد فيعرف لغات أكثر، لكنه يحصل على نصوص الملفات.</translation>
    </message>
    <message>
        <source>Who makes the vectors</source>
        <translation>من ينشئ المتّجهات</translation>
    </message>
    <message>
        <source>ChatDesk, on this computer</source>
        <translation>ChatDesk، على هذا الحاسوب</translation>
    </message>
    <message>
        <source>Model for embeddings</source>
        <translation>نموذج التضمينات</translation>
    </message>
    <message>
        <source>Vectors by</source>
        <translation>المتّجهات من</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>النموذج</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>المعاملات</translation>
    </message>
    <message numerus="yes">
        <source>{count} values set</source>
        <comment>{count} value set</comment>
        <translation>
            <numerusform>لا قيم معيّنة</numerusform>
            <numerusform>قيمة واحدة معيّنة</numerusform>
            <numerusform>قيمتان معيّنتان</numerusform>
            <numerusform>{count} قيم معيّنة</numerusform>
            <numerusform>{count} قيمة معيّنة</numerusform>
            <numerusform>{count} قيمة معيّنة</numerusform>
        </translation>
    </message>
    <message>
        <source>{provider}, not set up here</source>
        <translation>{provider}، غير مُعدّ هنا</translation>
    </message>
    <message>
        <source>No tools</source>
        <translation>بلا أدوات</translation>
    </message>
    <message>
        <source>Add files…</source>
        <translation>إضافة ملفات…</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the key. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>ليس على هذا الحاسوب حلقة مفاتيح تحفظ المفتاح. احفظه بدلًا من ذلك في ملف المفاتيح المشفّر من ChatDesk؛ وتُدخل عبارة مروره مرة واحدة بعد كل بدء.</translation>
    </message>
    <message>
        <source>Folder that something carries between your computers</source>
        <translation>مجلّد يُنقل بين حواسيبك</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>استعراض…</translation>
    </message>
    <message>
        <source>Choose the folder</source>
        <translation>اختيار المجلّد</translation>
    </message>
    <message>
        <source>Recovery phrase</source>
        <translation>عبارة الاسترداد</translation>
    </message>
    <message>
        <source>I have written it down, or saved it</source>
        <translation>دوّنتها أو حفظتها</translation>
    </message>
    <message>
        <source>Copy the phrase</source>
        <translation>نسخ العبارة</translation>
    </message>
    <message>
        <source>Save to print…</source>
        <translation>حفظ للطباعة…</translation>
    </message>
    <message>
        <source>Your other computers need this recovery phrase, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>تحتاج حواسيبك الأخرى إلى عبارة الاسترداد هذه، وبها وحدها تستعيد دردشاتك. ومن يملكها ويملك المجلّد يمكنه قراءة كل شيء. ولا تُعرض مرة أخرى.</translation>
    </message>
    <message>
        <source>Recovery phrase of ChatDesk for my computers: {phrase}</source>
        <translation>عبارة استرداد ChatDesk لحواسيبي: {phrase}</translation>
    </message>
    <message>
        <source>The phrase is in the clipboard.</source>
        <translation>العبارة في الحافظة.</translation>
    </message>
    <message>
        <source>Save the recovery phrase</source>
        <translation>حفظ عبارة الاسترداد</translation>
    </message>
    <message>
        <source>ChatDesk recovery phrase.txt</source>
        <translation>عبارة استرداد ChatDesk.txt</translation>
    </message>
    <message>
        <source>Start with this computer</source>
        <translation>البدء بهذا الحاسوب</translation>
    </message>
    <message>
        <source>Check the folder</source>
        <translation>فحص المجلّد</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>بدء</translation>
    </message>
    <message>
        <source>Writing into the folder…</source>
        <translation>تجري الكتابة في المجلّد…</translation>
    </message>
    <message>
        <source>Looking at the folder…</source>
        <translation>يجري فحص المجلّد…</translation>
    </message>
    <message>
        <source>Join your computers</source>
        <translation>الانضمام إلى حواسيبك</translation>
    </message>
    <message>
        <source>Recovery phrase, as it was shown on the other computer</source>
        <translation>عبارة الاسترداد كما ظهرت على الحاسوب الآخر</translation>
    </message>
    <message>
        <source>Look inside</source>
        <translation>النظر في الداخل</translation>
    </message>
    <message>
        <source>Joining…</source>
        <translation>يجري الانضمام…</translation>
    </message>
    <message>
        <source>Looking into the folder…</source>
        <translation>يجري النظر في المجلّد…</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>إزالة {name}</translation>
    </message>
    <message>
        <source>{name} keeps, and can read, everything that it had. It gets nothing new, and what it writes from now on reaches none of your other computers. These need the new phrase below: choose Join again on each.</source>
        <translation>يحتفظ {name} بكل ما كان لديه ويمكنه قراءته. ولا يتلقى أي جديد، وما يكتبه من الآن لا يصل إلى أي من حواسيبك الأخرى. تحتاج هذه إلى العبارة الجديدة أدناه: اختر «الانضمام من جديد» على كل منها.</translation>
    </message>
    <message>
        <source>Removing the computer…</source>
        <translation>تجري إزالة الحاسوب…</translation>
    </message>
    <message>
        <source>{title}: {detail}</source>
        <translation>{title}: {detail}</translation>
    </message>
    <message>
        <source>Still to fill in: {missing}.</source>
        <translation>ما زال يجب ملء: {missing}.</translation>
    </message>
    <message>
        <source>The prompt was not inserted: another thread is open now.</source>
        <translation>لم يُدرج الموجِّه: محادثة أخرى مفتوحة الآن.</translation>
    </message>
    <message>
        <source>There is no text in the clipboard.</source>
        <translation>لا نص في الحافظة.</translation>
    </message>
    <message>
        <source>Nothing is selected in the thread.</source>
        <translation>لا شيء محدّد في المحادثة.</translation>
    </message>
    <message>
        <source>Message {name} — drop files here, / for prompts</source>
        <translation>رسالة إلى {name} — أفلت الملفات هنا، و/ للموجِّهات</translation>
    </message>
    <message>
        <source>Fill in: {prompt_name}</source>
        <translation>ملء: {prompt_name}</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>إدراج</translation>
    </message>
    <message>
        <source>Template, for the composer</source>
        <translation>قالب، لمحرِّر الرسالة</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>موجِّه نظام</translation>
    </message>
    <message>
        <source>Quick action, below an answer</source>
        <translation>إجراء سريع، أسفل إجابة</translation>
    </message>
    <message>
        <source>Assistant, with @</source>
        <translation>مساعد، بـ @</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in. Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for.</source>
        <translation>تُملأ {{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} تلقائيًا. وأي اسم آخر، مثل {{topic}} أو {{topic:default}} أو {{tone|formal|casual}}، يُسأل عنه.</translation>
    </message>
    <message>
        <source>Choosing it below an answer, in its menu or in the search asks this about the answer. The variables of templates are filled in; where one is asked for, the text goes into the composer first.</source>
        <translation>اختياره أسفل إجابة أو في قائمتها أو في البحث يسأل هذا عن الإجابة. وتُملأ متغيّرات القوالب؛ وحيث يُسأل عن أحدها، يدخل النص في محرِّر الرسالة أولًا.</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent.</source>
        <translation>تُملأ {{date}} {{time}} {{project}} {{model}} كل مرة يُرسَل فيها.</translation>
    </message>
    <message>
        <source>The text is its instructions, sent in place of the system prompt. Choose it below the message for a whole thread, or type @ for one question.</source>
        <translation>النص تعليماته، ويُرسَل مكان موجِّه النظام. اختره أسفل الرسالة لمحادثة كاملة، أو اكتب @ لسؤال واحد.</translation>
    </message>
    <message>
        <source>Name of the prompt</source>
        <translation>اسم الموجِّه</translation>
    </message>
    <message>
        <source>Kind of prompt</source>
        <translation>نوع الموجِّه</translation>
    </message>
    <message>
        <source>Text of the prompt</source>
        <translation>نص الموجِّه</translation>
    </message>
    <message>
        <source>What the prompt says</source>
        <translation>ما يقوله الموجِّه</translation>
    </message>
    <message>
        <source>Prompts (*.json)</source>
        <translation>الموجِّهات (*.json)</translation>
    </message>
    <message>
        <source>Something went wrong. Nothing was stored; the text is kept here.</source>
        <translation>حدث خطأ ما. لم يُخزَّن شيء؛ والنص محفوظ هنا.</translation>
    </message>
    <message>
        <source>add prompt</source>
        <translation>إضافة موجِّه</translation>
    </message>
    <message>
        <source>delete prompt</source>
        <translation>حذف موجِّه</translation>
    </message>
    <message>
        <source>edit prompt</source>
        <translation>تحرير موجِّه</translation>
    </message>
    <message>
        <source>Import prompts</source>
        <translation>استيراد موجِّهات</translation>
    </message>
    <message>
        <source>Export prompts</source>
        <translation>تصدير موجِّهات</translation>
    </message>
    <message>
        <source>import prompts</source>
        <translation>استيراد موجِّهات</translation>
    </message>
    <message numerus="yes">
        <source>Added: {count} prompts. What was there already stays as it is.</source>
        <comment>Added: {count} prompt. What was there already stays as it is.</comment>
        <translation>
            <numerusform>لم تُضف موجِّهات. وما كان موجودًا يبقى كما هو.</numerusform>
            <numerusform>أُضيف موجِّه واحد. وما كان موجودًا يبقى كما هو.</numerusform>
            <numerusform>أُضيف موجِّهان. وما كان موجودًا يبقى كما هو.</numerusform>
            <numerusform>أُضيفت {count} موجِّهات. وما كان موجودًا يبقى كما هو.</numerusform>
            <numerusform>أُضيف {count} موجِّهًا. وما كان موجودًا يبقى كما هو.</numerusform>
            <numerusform>أُضيف {count} موجِّه. وما كان موجودًا يبقى كما هو.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Exported: {count} prompts to {name}.</source>
        <comment>Exported: {count} prompt to {name}.</comment>
        <translation>
            <numerusform>لم تُصدَّر موجِّهات إلى {name}.</numerusform>
            <numerusform>صُدِّر موجِّه واحد إلى {name}.</numerusform>
            <numerusform>صُدِّر موجِّهان إلى {name}.</numerusform>
            <numerusform>صُدِّرت {count} موجِّهات إلى {name}.</numerusform>
            <numerusform>صُدِّر {count} موجِّهًا إلى {name}.</numerusform>
            <numerusform>صُدِّر {count} موجِّه إلى {name}.</numerusform>
        </translation>
    </message>
    <message>
        <source>All prompts</source>
        <translation>كل الموجِّهات</translation>
    </message>
    <message>
        <source>Templates</source>
        <translation>القوالب</translation>
    </message>
    <message>
        <source>System prompts</source>
        <translation>موجِّهات النظام</translation>
    </message>
    <message>
        <source>Quick actions</source>
        <translation>الإجراءات السريعة</translation>
    </message>
    <message>
        <source>Assistants</source>
        <translation>المساعدون</translation>
    </message>
    <message>
        <source>Deleted: {name}</source>
        <translation>حُذف: {name}</translation>
    </message>
    <message>
        <source>New</source>
        <translation>جديد</translation>
    </message>
    <message>
        <source>Undo deleting the prompt</source>
        <translation>التراجع عن حذف الموجِّه</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>تكرار</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>استرجاع</translation>
    </message>
    <message numerus="yes">
        <source>{count} more: type part of a name.</source>
        <comment>{count} more: type part of a name.</comment>
        <translation>
            <numerusform>لا مزيد: اكتب جزءًا من اسم.</numerusform>
            <numerusform>واحد آخر: اكتب جزءًا من اسم.</numerusform>
            <numerusform>اثنان آخران: اكتب جزءًا من اسم.</numerusform>
            <numerusform>{count} أخرى: اكتب جزءًا من اسم.</numerusform>
            <numerusform>{count} أخرى: اكتب جزءًا من اسم.</numerusform>
            <numerusform>{count} أخرى: اكتب جزءًا من اسم.</numerusform>
        </translation>
    </message>
    <message>
        <source>Make your last answer shorter. Keep what matters most.</source>
        <translation>اجعل إجابتك الأخيرة أقصر. أبقِ على الأهم.</translation>
    </message>
    <message>
        <source>Make your last answer longer. Go into more detail.</source>
        <translation>اجعل إجابتك الأخيرة أطول. ادخل في التفاصيل أكثر.</translation>
    </message>
    <message>
        <source>Asked below this answer. What came after it stays as another version.</source>
        <translation>سُئل أسفل هذه الإجابة. وما جاء بعدها يبقى نسخة أخرى.</translation>
    </message>
    <message>
        <source>Quick action: {name}</source>
        <translation>إجراء سريع: {name}</translation>
    </message>
    <message>
        <source>Select something in the thread first.</source>
        <translation>حدّد شيئًا في المحادثة أولًا.</translation>
    </message>
    <message>
        <source>From {name}</source>
        <translation>من {name}</translation>
    </message>
    <message>
        <source>{title}, from {name}</source>
        <translation>{title}، من {name}</translation>
    </message>
    <message>
        <source>Asking {server} for “{title}”…</source>
        <translation>يجري طلب «{title}» من {server}…</translation>
    </message>
    <message>
        <source>{server} wrote this text. Read it before you send it.</source>
        <translation>كتب {server} هذا النص. اقرأه قبل أن ترسله.</translation>
    </message>
    <message>
        <source>“{title}” came while you were typing.</source>
        <translation>وصل «{title}» أثناء كتابتك.</translation>
    </message>
    <message>
        <source>{label} (optional)</source>
        <translation>{label} (اختياري)</translation>
    </message>
    <message>
        <source>System prompt of this thread</source>
        <translation>موجِّه نظام هذه المحادثة</translation>
    </message>
    <message>
        <source>System prompt of the project</source>
        <translation>موجِّه نظام المشروع</translation>
    </message>
    <message>
        <source>Sent before the messages with every question. {{date}}, {{time}}, {{project}} and {{model}} are filled in each time.</source>
        <translation>يُرسَل قبل الرسائل مع كل سؤال. وتُملأ {{date}} و{{time}} و{{project}} و{{model}} كل مرة.</translation>
    </message>
    <message>
        <source>System prompts of the library</source>
        <translation>موجِّهات النظام في المكتبة</translation>
    </message>
    <message>
        <source>From the library</source>
        <translation>من المكتبة</translation>
    </message>
    <message>
        <source>Save to the library</source>
        <translation>حفظ في المكتبة</translation>
    </message>
    <message>
        <source>This thread</source>
        <translation>هذه المحادثة</translation>
    </message>
    <message>
        <source>Project {name}</source>
        <translation>المشروع {name}</translation>
    </message>
    <message>
        <source>Sent in every thread of the project that has none of its own.</source>
        <translation>يُرسَل في كل محادثة من المشروع ليس لها موجِّه خاص.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, the default from the settings is sent.</source>
        <translation>ليس للمشروع موجِّه: في المحادثات التي ليس لها موجِّه خاص يُرسَل الافتراضي من الإعدادات.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, no system prompt is sent.</source>
        <translation>ليس للمشروع موجِّه: في المحادثات التي ليس لها موجِّه خاص لا يُرسَل موجِّه نظام.</translation>
    </message>
    <message>
        <source>This thread&apos;s own system prompt is sent.</source>
        <translation>يُرسَل موجِّه النظام الخاص بهذه المحادثة.</translation>
    </message>
    <message>
        <source>This thread has none: the project&apos;s is sent.</source>
        <translation>ليس لهذه المحادثة موجِّه: يُرسَل موجِّه المشروع.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: the default from the settings is sent.</source>
        <translation>ليس للمحادثة ولا للمشروع موجِّه: يُرسَل الافتراضي من الإعدادات.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: no system prompt is sent.</source>
        <translation>ليس للمحادثة ولا للمشروع موجِّه: لا يُرسَل موجِّه نظام.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>About {count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>لا رموز من {window} التي يمكن للنموذج قراءتها تُخصَّص له في كل طلب.</numerusform>
            <numerusform>نحو رمز واحد من {window} التي يمكن للنموذج قراءتها يُخصَّص له في كل طلب.</numerusform>
            <numerusform>نحو رمزين من {window} التي يمكن للنموذج قراءتها يُخصَّصان له في كل طلب.</numerusform>
            <numerusform>نحو {count} رموز من {window} التي يمكن للنموذج قراءتها تُخصَّص له في كل طلب.</numerusform>
            <numerusform>نحو {count} رمزًا من {window} التي يمكن للنموذج قراءتها تُخصَّص له في كل طلب.</numerusform>
            <numerusform>نحو {count} رمز من {window} التي يمكن للنموذج قراءتها تُخصَّص له في كل طلب.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>{count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>لا رموز من {window} التي يمكن للنموذج قراءتها تُخصَّص له في كل طلب.</numerusform>
            <numerusform>رمز واحد من {window} التي يمكن للنموذج قراءتها يُخصَّص له في كل طلب.</numerusform>
            <numerusform>رمزان من {window} التي يمكن للنموذج قراءتها يُخصَّصان له في كل طلب.</numerusform>
            <numerusform>{count} رموز من {window} التي يمكن للنموذج قراءتها تُخصَّص له في كل طلب.</numerusform>
            <numerusform>{count} رمزًا من {window} التي يمكن للنموذج قراءتها تُخصَّص له في كل طلب.</numerusform>
            <numerusform>{count} رمز من {window} التي يمكن للنموذج قراءتها تُخصَّص له في كل طلب.</numerusform>
        </translation>
    </message>
    <message>
        <source>Shorten it, or choose a model with a larger window.</source>
        <translation>اختصره، أو اختر نموذجًا بنافذة أكبر.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>About {count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>لا رموز: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>نحو رمز واحد: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>نحو رمزين: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>نحو {count} رموز: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>نحو {count} رمزًا: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>نحو {count} رمز: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>{count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>لا رموز: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>رمز واحد: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>رمزان: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>{count} رموز: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>{count} رمزًا: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
            <numerusform>{count} رمز: لا يترك مكانًا لرسالة في {window} التي يمكن للنموذج قراءتها.</numerusform>
        </translation>
    </message>
    <message>
        <source>An imported system prompt is sent with your question.</source>
        <translation>يُرسَل موجِّه نظام مستورَد مع سؤالك.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with your question.</source>
        <translation>غيّر {name} موجِّه النظام؛ وهو يُرسَل مع سؤالك.</translation>
    </message>
    <message>
        <source>A temporary chat has the instructions of its project.</source>
        <translation>للدردشة المؤقتة تعليمات مشروعها.</translation>
    </message>
    <message>
        <source>Saved to the library: {name}</source>
        <translation>حُفظ في المكتبة: {name}</translation>
    </message>
    <message>
        <source>change system prompt</source>
        <translation>تغيير موجِّه النظام</translation>
    </message>
    <message>
        <source>The system prompt was changed</source>
        <translation>تغيّر موجِّه النظام</translation>
    </message>
    <message>
        <source>{what} Agree only if you made this change yourself and trust that server.</source>
        <translation>{what} لا توافق إلا إن كنت قد أجريت هذا التغيير بنفسك وتثق بذلك الخادم.</translation>
    </message>
    <message>
        <source>Your name for it</source>
        <translation>الاسم الذي تطلقه عليه</translation>
    </message>
    <message>
        <source>Sees images</source>
        <translation>يرى الصور</translation>
    </message>
    <message>
        <source>$ in / 1M</source>
        <translation>$ إدخال / 1M</translation>
    </message>
    <message>
        <source>$ out / 1M</source>
        <translation>$ إخراج / 1M</translation>
    </message>
    <message>
        <source>Offered when a model is chosen.</source>
        <translation>يُعرض عند اختيار نموذج.</translation>
    </message>
    <message>
        <source>The id of the model at its server.</source>
        <translation>معرّف النموذج لدى خادمه.</translation>
    </message>
    <message>
        <source>The name under which it is offered.</source>
        <translation>الاسم الذي يُعرض به.</translation>
    </message>
    <message>
        <source>Whether images are sent to it. A dash means unknown.</source>
        <translation>هل تُرسَل إليه الصور. والشرطة تعني غير معروف.</translation>
    </message>
    <message>
        <source>How many tokens it reads at once, such as 128k.</source>
        <translation>كم رمزًا يقرأ دفعة واحدة، مثل 128k.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it reads.</source>
        <translation>دولارات أمريكية لكل مليون رمز يقرؤه.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it writes.</source>
        <translation>دولارات أمريكية لكل مليون رمز يكتبه.</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>غير معروف</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>نعم</translation>
    </message>
    <message>
        <source>no</source>
        <translation>لا</translation>
    </message>
    <message>
        <source>Change the passphrase</source>
        <translation>تغيير عبارة المرور</translation>
    </message>
    <message>
        <source>Keys are locked</source>
        <translation>المفاتيح مقفلة</translation>
    </message>
    <message>
        <source>The current passphrase</source>
        <translation>عبارة المرور الحالية</translation>
    </message>
    <message>
        <source>Passphrase</source>
        <translation>عبارة المرور</translation>
    </message>
    <message>
        <source>The new passphrase again</source>
        <translation>عبارة المرور الجديدة مرة أخرى</translation>
    </message>
    <message>
        <source>The keys of your providers are in a file that a passphrase encrypts. You enter it once after each start.</source>
        <translation>مفاتيح مزوّديك في ملف تشفّره عبارة مرور. تدخلها مرة واحدة بعد كل بدء تشغيل.</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>تغيير</translation>
    </message>
    <message>
        <source>The two new passphrases are not the same.</source>
        <translation>عبارتا المرور الجديدتان غير متطابقتين.</translation>
    </message>
    <message>
        <source>Remove {label}?</source>
        <translation>هل تريد إزالة {label}؟</translation>
    </message>
    <message>
        <source>Its key is forgotten. Threads keep their answers; a thread that used it asks for another model.</source>
        <translation>يُنسى مفتاحه. وتحتفظ المحادثات بإجاباتها؛ والمحادثة التي استخدمته تطلب نموذجًا آخر.</translation>
    </message>
    <message>
        <source>{problem} Nothing was sent; see Settings, Providers.</source>
        <translation>{problem} لم يُرسَل شيء؛ راجع الإعدادات، المزوّدون.</translation>
    </message>
    <message>
        <source>Chat completions, which every server has</source>
        <translation>Chat completions، المتوفّر لدى كل خادم</translation>
    </message>
    <message>
        <source>Responses, where the server has it</source>
        <translation>Responses، حيث يتوفّر لدى الخادم</translation>
    </message>
    <message>
        <source>Anthropic&apos;s messages</source>
        <translation>رسائل Anthropic</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>العنوان</translation>
    </message>
    <message>
        <source>localhost:8080 or https://…</source>
        <translation>localhost:8080 أو https://…</translation>
    </message>
    <message>
        <source>Protocol</source>
        <translation>البروتوكول</translation>
    </message>
    <message>
        <source>Use this provider</source>
        <translation>استخدام هذا المزوّد</translation>
    </message>
    <message>
        <source>Set by the variable OPENAI_BASE_URL, so it cannot be changed here.</source>
        <translation>يحدّده المتغيّر OPENAI_BASE_URL، فلا يمكن تغييره هنا.</translation>
    </message>
    <message>
        <source>Enter the address of the server.</source>
        <translation>أدخل عنوان الخادم.</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address.</source>
        <translation>أدخل اسم المورد الخاص بك في العنوان.</translation>
    </message>
    <message>
        <source>Stop the test</source>
        <translation>إيقاف الاختبار</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>اختبار</translation>
    </message>
    <message>
        <source>API key</source>
        <translation>مفتاح API</translation>
    </message>
    <message>
        <source>More settings</source>
        <translation>إعدادات أخرى</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>إزالة…</translation>
    </message>
    <message>
        <source>In the system keyring</source>
        <translation>في حلقة مفاتيح النظام</translation>
    </message>
    <message>
        <source>For this run only</source>
        <translation>لهذا التشغيل فقط</translation>
    </message>
    <message>
        <source>In a file that a passphrase encrypts</source>
        <translation>في ملف تشفّره عبارة مرور</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>استبدال</translation>
    </message>
    <message>
        <source>Replace the key</source>
        <translation>استبدال المفتاح</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>نسيان</translation>
    </message>
    <message>
        <source>Forget the key</source>
        <translation>نسيان المفتاح</translation>
    </message>
    <message>
        <source>Use it there…</source>
        <translation>استخدامه هناك…</translation>
    </message>
    <message>
        <source>Use the kept key at this server</source>
        <translation>استخدام المفتاح المحفوظ لدى هذا الخادم</translation>
    </message>
    <message>
        <source>Paste the key</source>
        <translation>ألصق المفتاح</translation>
    </message>
    <message>
        <source>Get a key</source>
        <translation>الحصول على مفتاح</translation>
    </message>
    <message>
        <source>Where the key is kept</source>
        <translation>مكان حفظ المفتاح</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys</source>
        <translation>عبارة مرور ملف المفاتيح</translation>
    </message>
    <message>
        <source>{place}; it has precedence over a stored key, so it cannot be changed here</source>
        <translation>{place}؛ وهو يتقدّم على المفتاح المحفوظ، فلا يمكن تغييره هنا</translation>
    </message>
    <message>
        <source>The kept key is used at this server from now on.</source>
        <translation>يُستخدم المفتاح المحفوظ لدى هذا الخادم من الآن فصاعدًا.</translation>
    </message>
    <message>
        <source>Key, if the server asks for one</source>
        <translation>المفتاح، إن طلبه الخادم</translation>
    </message>
    <message>
        <source>The passphrase of the file</source>
        <translation>عبارة مرور الملف</translation>
    </message>
    <message>
        <source>It is never written in plain text.</source>
        <translation>لا يُكتب نصًا صريحًا أبدًا.</translation>
    </message>
    <message>
        <source>{why}: choose where the key is kept.</source>
        <translation>{why}: اختر مكان حفظ المفتاح.</translation>
    </message>
    <message>
        <source>Models of {label}</source>
        <translation>نماذج {label}</translation>
    </message>
    <message>
        <source>Arrows move, Space ticks, F2 or typing changes a cell.</source>
        <translation>الأسهم تتنقّل، والمسافة تعلّم، وF2 أو الكتابة يغيّران الخلية.</translation>
    </message>
    <message>
        <source>Id of a model that is missing</source>
        <translation>معرّف نموذج ناقص</translation>
    </message>
    <message>
        <source>Fetch the list again</source>
        <translation>جلب القائمة من جديد</translation>
    </message>
    <message>
        <source>The team does not see it</source>
        <translation>لا يراه الفريق</translation>
    </message>
    <message>
        <source>The team sees its name</source>
        <translation>يرى الفريق اسمه</translation>
    </message>
    <message>
        <source>The team gets its text</source>
        <translation>يحصل الفريق على نصه</translation>
    </message>
    <message>
        <source>Files of {project}</source>
        <translation>ملفات {project}</translation>
    </message>
    <message>
        <source>ChatDesk reads these on this computer, keeps them current, and sends the passages that fit a question with it. The answer names them.</source>
        <translation>يقرأ ChatDesk هذه على هذا الحاسوب، ويبقيها محدّثة، ويرسل مع السؤال المقاطع التي تناسبه. وتذكرها الإجابة.</translation>
    </message>
    <message>
        <source>Folders, files and pages</source>
        <translation>المجلّدات والملفات والصفحات</translation>
    </message>
    <message>
        <source>Folder, file or address to add</source>
        <translation>المجلّد أو الملف أو العنوان الذي يُضاف</translation>
    </message>
    <message>
        <source>Path of a folder or file, or https://…</source>
        <translation>مسار مجلّد أو ملف، أو https://…‎</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>مجلّد…</translation>
    </message>
    <message>
        <source>Add a folder</source>
        <translation>إضافة مجلّد</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>ملف…</translation>
    </message>
    <message>
        <source>Add a file</source>
        <translation>إضافة ملف</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>إضافة</translation>
    </message>
    <message>
        <source>Last here</source>
        <translation>آخر ظهور</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>في الانتظار</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>الحجم</translation>
    </message>
    <message>
        <source>Computers</source>
        <translation>الحواسيب</translation>
    </message>
    <message>
        <source>Remove this computer…</source>
        <translation>إزالة هذا الحاسوب…</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>إيقاف مؤقت</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>استئناف</translation>
    </message>
    <message>
        <source>Have the same chats on all computers of yours. A folder that something carries between them is enough: Syncthing, Nextcloud, Dropbox, a network drive or a USB stick. Everything is encrypted before it is written there.</source>
        <translation>احصل على الدردشات نفسها على كل حواسيبك. يكفي مجلّد يُنقل بينها: Syncthing أو Nextcloud أو Dropbox أو محرّك أقراص شبكي أو ذاكرة USB. ويُشفَّر كل شيء قبل كتابته هناك.</translation>
    </message>
    <message>
        <source>Start…</source>
        <translation>بدء…</translation>
    </message>
    <message>
        <source>Join…</source>
        <translation>انضمام…</translation>
    </message>
    <message>
        <source>The first computer</source>
        <translation>الحاسوب الأول</translation>
    </message>
    <message>
        <source>Choose an empty folder. You get a recovery phrase, which your other computers need.</source>
        <translation>اختر مجلّدًا فارغًا. تحصل على عبارة استرداد تحتاج إليها حواسيبك الأخرى.</translation>
    </message>
    <message>
        <source>A further computer, or a new one</source>
        <translation>حاسوب آخر، أو حاسوب جديد</translation>
    </message>
    <message>
        <source>Choose the same folder and give the phrase. You see whose it is before anything is merged.</source>
        <translation>اختر المجلّد نفسه وأدخل العبارة. ترى لمن هو قبل دمج أي شيء.</translation>
    </message>
    <message>
        <source>Join again…</source>
        <translation>الانضمام من جديد…</translation>
    </message>
    <message>
        <source>Forget the folder…</source>
        <translation>نسيان المجلّد…</translation>
    </message>
    <message>
        <source>older files</source>
        <translation>ملفات أقدم</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>القراءة من جديد</translation>
    </message>
    <message>
        <source>Left out…</source>
        <translation>المستبعَد…</translation>
    </message>
    <message>
        <source>Choose what of the folder is left out</source>
        <translation>اختيار ما يُستبعد من المجلّد</translation>
    </message>
    <message>
        <source>Secrets…</source>
        <translation>الملفات السرّية…</translation>
    </message>
    <message>
        <source>Choose which files that look like secrets are read</source>
        <translation>اختيار ما يُقرأ من الملفات التي تبدو سرّية</translation>
    </message>
    <message>
        <source>What the team gets</source>
        <translation>ما يحصل عليه الفريق</translation>
    </message>
    <message>
        <source>With the text, members&apos; computers get all passages. Where a member chose a provider&apos;s model for the vectors, it gets them, too.</source>
        <translation>مع النص تحصل حواسيب الأعضاء على كل المقاطع. وحيث اختار عضو نموذج مزوّد للمتّجهات، يحصل عليها المزوّد أيضًا.</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>تغيير…</translation>
    </message>
    <message>
        <source>Change what makes the vectors</source>
        <translation>تغيير ما ينشئ المتّجهات</translation>
    </message>
    <message>
        <source>Who gets them…</source>
        <translation>من يحصل عليها…</translation>
    </message>
    <message>
        <source>Choose which providers get the files</source>
        <translation>اختيار المزوّدين الذين يحصلون على الملفات</translation>
    </message>
    <message>
        <source>Try a question</source>
        <translation>تجربة سؤال</translation>
    </message>
    <message>
        <source>Try a question: what would be found?</source>
        <translation>تجربة سؤال: ما الذي سيُعثر عليه؟</translation>
    </message>
    <message>
        <source>What would be found</source>
        <translation>ما سيُعثر عليه</translation>
    </message>
    <message>
        <source>Kept questions…</source>
        <translation>الأسئلة المحفوظة…</translation>
    </message>
    <message>
        <source>Keep questions and run them again</source>
        <translation>حفظ أسئلة وتشغيلها من جديد</translation>
    </message>
    <message numerus="yes">
        <source>and {count} more</source>
        <comment>and {count} more</comment>
        <translation>
            <numerusform>ولا شيء آخر</numerusform>
            <numerusform>وواحد آخر</numerusform>
            <numerusform>واثنان آخران</numerusform>
            <numerusform>و{count} أخرى</numerusform>
            <numerusform>و{count} أخرى</numerusform>
            <numerusform>و{count} أخرى</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} passages found</source>
        <comment>{count} passage found</comment>
        <translation>
            <numerusform>لم يُعثر على أي مقطع</numerusform>
            <numerusform>عُثر على مقطع واحد</numerusform>
            <numerusform>عُثر على مقطعين</numerusform>
            <numerusform>عُثر على {count} مقاطع</numerusform>
            <numerusform>عُثر على {count} مقطعًا</numerusform>
            <numerusform>عُثر على {count} مقطع</numerusform>
        </translation>
    </message>
    <message>
        <source>Go on reading</source>
        <translation>متابعة القراءة</translation>
    </message>
    <message>
        <source>shared by the team</source>
        <translation>يشاركه الفريق</translation>
    </message>
    <message>
        <source>being listed</source>
        <translation>قيد السرد</translation>
    </message>
    <message>
        <source>last read {when}</source>
        <translation>آخر قراءة {when}</translation>
    </message>
    <message>
        <source>Add the model</source>
        <translation>إضافة النموذج</translation>
    </message>
    <message>
        <source>What you type comes before what the server says. Prices are used for costs and limits.</source>
        <translation>ما تكتبه يتقدّم على ما يقوله الخادم. وتُستخدم الأسعار للتكاليف والحدود.</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>كالنظام</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>الاتصال</translation>
    </message>
    <message>
        <source>First word</source>
        <translation>الكلمة الأولى</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>الصمت</translation>
    </message>
    <message>
        <source>Model for new threads</source>
        <translation>نموذج المحادثات الجديدة</translation>
    </message>
    <message>
        <source>Only those of the system</source>
        <translation>شهادات النظام فقط</translation>
    </message>
    <message>
        <source>The usual time</source>
        <translation>المدة المعتادة</translation>
    </message>
    <message>
        <source>Organisation</source>
        <translation>المؤسسة</translation>
    </message>
    <message>
        <source>Proxy</source>
        <translation>الوكيل</translation>
    </message>
    <message>
        <source>As the system, none, or an address such as http://proxy.example:3128</source>
        <translation>كالنظام، أو none، أو عنوان مثل http://proxy.example:3128</translation>
    </message>
    <message>
        <source>File of certificates</source>
        <translation>ملف الشهادات</translation>
    </message>
    <message>
        <source>Choose a file of certificates</source>
        <translation>اختيار ملف شهادات</translation>
    </message>
    <message>
        <source>Headers, one a line as Name: value</source>
        <translation>الترويسات، واحدة في كل سطر بصيغة Name: value</translation>
    </message>
    <message>
        <source>{what}, seconds</source>
        <translation>{what}، بالثواني</translation>
    </message>
    <message>
        <source>Certificates to trust in addition to the system&apos;s</source>
        <translation>شهادات يوثق بها إضافة إلى شهادات النظام</translation>
    </message>
    <message>
        <source>Headers; values that are keys are stored with your keys</source>
        <translation>الترويسات؛ القيم التي هي مفاتيح تُخزَّن مع مفاتيحك</translation>
    </message>
    <message>
        <source>Seconds to wait for</source>
        <translation>ثواني انتظار</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer);;All files (*)</source>
        <translation>الشهادات (*.pem *.crt *.cer);;كل الملفات (*)</translation>
    </message>
    <message>
        <source>{what} must be a number of seconds.</source>
        <translation>يجب أن يكون «{what}» عددًا من الثواني.</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>موقوفة</translation>
    </message>
    <message>
        <source>The picture that is sent with the question</source>
        <translation>الصورة التي تُرسَل مع السؤال</translation>
    </message>
    <message>
        <source>Clipboard</source>
        <translation>الحافظة</translation>
    </message>
    <message>
        <source>Selection</source>
        <translation>التحديد</translation>
    </message>
    <message>
        <source>Screenshot</source>
        <translation>لقطة شاشة</translation>
    </message>
    <message>
        <source>There is no text on the clipboard.</source>
        <translation>لا نص في الحافظة.</translation>
    </message>
    <message>
        <source>No text is selected in another window.</source>
        <translation>لا نص محدّد في نافذة أخرى.</translation>
    </message>
    <message numerus="yes">
        <source>{name}, only the first {count} characters</source>
        <comment>{name}, only the first {count} character</comment>
        <translation>
            <numerusform>{name}، بلا حروف</numerusform>
            <numerusform>{name}، الحرف الأول فقط</numerusform>
            <numerusform>{name}، أول حرفين فقط</numerusform>
            <numerusform>{name}، أول {count} حروف فقط</numerusform>
            <numerusform>{name}، أول {count} حرفًا فقط</numerusform>
            <numerusform>{name}، أول {count} حرف فقط</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}, {count} characters</source>
        <comment>{name}, {count} character</comment>
        <translation>
            <numerusform>{name}، بلا حروف</numerusform>
            <numerusform>{name}، حرف واحد</numerusform>
            <numerusform>{name}، حرفان</numerusform>
            <numerusform>{name}، {count} حروف</numerusform>
            <numerusform>{name}، {count} حرفًا</numerusform>
            <numerusform>{name}، {count} حرف</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask anything</source>
        <translation>اسأل أي شيء</translation>
    </message>
    <message>
        <source>Add the clipboard</source>
        <translation>إضافة الحافظة</translation>
    </message>
    <message>
        <source>Add the selection</source>
        <translation>إضافة التحديد</translation>
    </message>
    <message>
        <source>Add a screenshot</source>
        <translation>إضافة لقطة شاشة</translation>
    </message>
    <message>
        <source>New</source>
        <comment>question</comment>
        <translation>سؤال جديد</translation>
    </message>
    <message>
        <source>Open in ChatDesk</source>
        <translation>فتح في ChatDesk</translation>
    </message>
    <message>
        <source>{words}: leave it out</source>
        <translation>{words}: تركه</translation>
    </message>
    <message>
        <source>Choose a part of the screen</source>
        <translation>اختيار جزء من الشاشة</translation>
    </message>
    <message>
        <source>Drag over a part, or press Enter for what is framed. Arrows move the frame, Shift+arrows change its size, Alt makes small steps, Esc leaves.</source>
        <translation>اسحب فوق جزء، أو اضغط Enter لما هو داخل الإطار. الأسهم تحرّك الإطار، وShift+الأسهم تغيّر حجمه، وAlt للخطوات الصغيرة، وEsc للخروج.</translation>
    </message>
    <message>
        <source>This desktop lets programs take no picture of the screen.</source>
        <translation>لا يسمح سطح المكتب هذا للبرامج بالتقاط صورة للشاشة.</translation>
    </message>
    <message>
        <source>Nothing was taken.</source>
        <translation>لم يُلتقط شيء.</translation>
    </message>
    <message>
        <source>Take one with the desktop&apos;s own program, and paste it into a message in the large window.</source>
        <translation>التقط صورة ببرنامج سطح المكتب نفسه، وألصقها في رسالة في النافذة الكبيرة.</translation>
    </message>
    <message>
        <source>The desktop gave no file with the picture.</source>
        <translation>لم يعطِ سطح المكتب ملفًا فيه الصورة.</translation>
    </message>
    <message>
        <source>The picture of the screen is too large.</source>
        <translation>صورة الشاشة أكبر مما ينبغي.</translation>
    </message>
    <message>
        <source>The desktop&apos;s picture of the screen cannot be read.</source>
        <translation>تتعذّر قراءة صورة الشاشة من سطح المكتب.</translation>
    </message>
    <message>
        <source>Making a backup…</source>
        <translation>يجري إنشاء نسخة احتياطية…</translation>
    </message>
    <message>
        <source>Checking… This reads everything and can take a while.</source>
        <translation>جارٍ الفحص… يقرأ هذا كل شيء وقد يستغرق بعض الوقت.</translation>
    </message>
    <message>
        <source>Checking and repairing…</source>
        <translation>جارٍ الفحص والإصلاح…</translation>
    </message>
    <message>
        <source>Writing the zip…</source>
        <translation>تجري كتابة ملف zip…</translation>
    </message>
    <message>
        <source>Checking the database</source>
        <translation>فحص قاعدة البيانات</translation>
    </message>
    <message>
        <source>Repairing the database</source>
        <translation>إصلاح قاعدة البيانات</translation>
    </message>
    <message>
        <source>Another window has this data directory open.</source>
        <translation>نافذة أخرى تفتح دليل البيانات هذا.</translation>
    </message>
    <message>
        <source>The backup was made: {name}</source>
        <translation>أُنشئت النسخة الاحتياطية: {name}</translation>
    </message>
    <message>
        <source>Nothing is wrong.</source>
        <translation>لا يوجد أي خلل.</translation>
    </message>
    <message>
        <source>Save everything as a zip</source>
        <translation>حفظ كل شيء كملف zip</translation>
    </message>
    <message>
        <source>Everything was saved to {name}.</source>
        <translation>حُفظ كل شيء في {name}.</translation>
    </message>
    <message>
        <source>and {lost} more</source>
        <translation>و{lost} أخرى</translation>
    </message>
    <message numerus="yes">
        <source>All but {count} attachments were saved to {name}:</source>
        <comment>All but {count} attachment was saved to {name}:</comment>
        <translation>
            <numerusform>حُفظ كل شيء في {name}:</numerusform>
            <numerusform>حُفظ كل شيء عدا مرفق واحد في {name}:</numerusform>
            <numerusform>حُفظ كل شيء عدا مرفقين في {name}:</numerusform>
            <numerusform>حُفظ كل شيء عدا {count} مرفقات في {name}:</numerusform>
            <numerusform>حُفظ كل شيء عدا {count} مرفقًا في {name}:</numerusform>
            <numerusform>حُفظ كل شيء عدا {count} مرفق في {name}:</numerusform>
        </translation>
    </message>
    <message>
        <source>Import and export</source>
        <translation>الاستيراد والتصدير</translation>
    </message>
    <message>
        <source>Take over chats from ChatGPT, Claude and others, or write yours as Markdown, web pages, PDF or JSON.</source>
        <translation>انقل الدردشات من ChatGPT وClaude وغيرهما، أو اكتب دردشاتك بصيغة Markdown أو صفحات ويب أو PDF أو JSON.</translation>
    </message>
    <message>
        <source>Back up and restore</source>
        <translation>النسخ الاحتياطي والاستعادة</translation>
    </message>
    <message>
        <source>ChatDesk makes a backup each day and before each upgrade, and checks each one.</source>
        <translation>ينشئ ChatDesk نسخة احتياطية كل يوم وقبل كل ترقية، ويفحص كلًا منها.</translation>
    </message>
    <message>
        <source>Save everything as a zip…</source>
        <translation>حفظ كل شيء كملف zip…</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>إظهار المجلّد</translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation>استعادة…</translation>
    </message>
    <message>
        <source>Check reads everything that is stored. Repair makes a copy first and says what it changed.</source>
        <translation>الفحص يقرأ كل المخزَّن. والإصلاح ينشئ نسخة أولًا ويقول ما غيّره.</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>فحص</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>إصلاح</translation>
    </message>
    <message>
        <source>Something went wrong?</source>
        <translation>هل حدث خطأ ما؟</translation>
    </message>
    <message>
        <source>Collects the log, the settings and failure reports, without your messages and keys.</source>
        <translation>يجمع السجل والإعدادات وتقارير الإخفاق، من دون رسائلك ومفاتيحك.</translation>
    </message>
    <message>
        <source>Backups are in {folder}</source>
        <translation>النسخ الاحتياطية في {folder}</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>النتيجة</translation>
    </message>
    <message>
        <source>… and {lines} more; &apos;chatdesk doctor --json&apos; lists them.</source>
        <translation>… و{lines} أخرى؛ الأمر &apos;chatdesk doctor --json&apos; يسردها.</translation>
    </message>
    <message>
        <source>{label}, its own choice</source>
        <translation>{label}، اختياره نفسه</translation>
    </message>
    <message>
        <source>General</source>
        <translation>عام</translation>
    </message>
    <message>
        <source>Providers</source>
        <translation>المزوّدون</translation>
    </message>
    <message>
        <source>Usage and limits</source>
        <translation>الاستخدام والحدود</translation>
    </message>
    <message>
        <source>Accessibility</source>
        <translation>إمكانية الوصول</translation>
    </message>
    <message>
        <source>Team sync</source>
        <translation>مزامنة الفريق</translation>
    </message>
    <message>
        <source>Local service</source>
        <translation>الخدمة المحلية</translation>
    </message>
    <message>
        <source>Data and backup</source>
        <translation>البيانات والنسخ الاحتياطي</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>الاختصارات</translation>
    </message>
    <message>
        <source>Enter the passphrase…</source>
        <translation>إدخال عبارة المرور…</translation>
    </message>
    <message>
        <source>Change the passphrase…</source>
        <translation>تغيير عبارة المرور…</translation>
    </message>
    <message>
        <source>Add provider</source>
        <translation>إضافة مزوّد</translation>
    </message>
    <message>
        <source>Look for servers on this computer</source>
        <translation>البحث عن خوادم على هذا الحاسوب</translation>
    </message>
    <message>
        <source>Only this computer is asked, at the usual ports, and no key is sent.</source>
        <translation>لا يُسأل سوى هذا الحاسوب، على المنافذ المعتادة، ولا يُرسَل أي مفتاح.</translation>
    </message>
    <message>
        <source>Always available</source>
        <translation>متاح دائمًا</translation>
    </message>
    <message>
        <source>Needs no network, for trying things out</source>
        <translation>لا يحتاج إلى شبكة، للتجربة</translation>
    </message>
    <message>
        <source>Your keys are in a locked file. Enter its passphrase to use them.</source>
        <translation>مفاتيحك في ملف مقفل. أدخل عبارة مروره لاستخدامها.</translation>
    </message>
    <message>
        <source>Switched off</source>
        <translation>مُعطَّل</translation>
    </message>
    <message>
        <source>Test {label}</source>
        <translation>اختبار {label}</translation>
    </message>
    <message>
        <source>Edit {label}</source>
        <translation>تحرير {label}</translation>
    </message>
    <message>
        <source>Search the memories</source>
        <translation>البحث في الذكريات</translation>
    </message>
    <message>
        <source>Memories to show</source>
        <translation>الذكريات المعروضة</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>إضافة…</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>تحرير…</translation>
    </message>
    <message>
        <source>Show its message</source>
        <translation>عرض رسالتها</translation>
    </message>
    <message>
        <source>Delete what is chosen</source>
        <translation>حذف المحدَّد</translation>
    </message>
    <message>
        <source>Providers that get memories. None gets them unless you tick it.</source>
        <translation>المزوّدون الذين يحصلون على الذكريات. لا يحصل عليها أي مزوّد ما لم تحدّده.</translation>
    </message>
    <message>
        <source>Providers that get memories</source>
        <translation>المزوّدون الذين يحصلون على الذكريات</translation>
    </message>
    <message>
        <source>What you confirm is kept, and sent with your questions to the providers that you tick below.</source>
        <translation>يُحفظ ما تؤكّده، ويُرسَل مع أسئلتك إلى المزوّدين الذين تحدّدهم أدناه.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent. What is here stays until you delete it.</source>
        <translation>الذاكرة معطّلة: لا يُحفظ شيء ولا يُرسَل. ما هو موجود هنا يبقى إلى أن تحذفه.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on. What is here can be deleted.</source>
        <translation>الذاكرة معطّلة: لا يُحفظ شيء ولا يُرسَل إلى أن تفعّلها. ويمكن حذف ما هو موجود هنا.</translation>
    </message>
    <message>
        <source>All memories</source>
        <translation>كل الذكريات</translation>
    </message>
    <message>
        <source>{name} (at a new address: tick it again)</source>
        <translation>{name} (بعنوان جديد: حدّده من جديد)</translation>
    </message>
    <message>
        <source>{name} — {address}</source>
        <translation>{name} — {address}</translation>
    </message>
    <message>
        <source>Undo the deletion</source>
        <translation>التراجع عن الحذف</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories</source>
        <comment>{count} memory</comment>
        <translation>
            <numerusform>لا ذكريات</numerusform>
            <numerusform>ذكرى واحدة</numerusform>
            <numerusform>ذكريان</numerusform>
            <numerusform>{count} ذكريات</numerusform>
            <numerusform>{count} ذكرى</numerusform>
            <numerusform>{count} ذكرى</numerusform>
        </translation>
    </message>
    <message>
        <source>No memory matches.</source>
        <translation>لا توجد ذكرى مطابقة.</translation>
    </message>
    <message>
        <source>Nothing is remembered yet.</source>
        <translation>لا ذكريات بعد.</translation>
    </message>
    <message>
        <source>Export the memories</source>
        <translation>تصدير الذكريات</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>ملفات JSON (*.json)</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>النماذج…</translation>
    </message>
    <message>
        <source>Enter a key</source>
        <translation>أدخل مفتاحًا</translation>
    </message>
    <message>
        <source>Switch off</source>
        <translation>تعطيل</translation>
    </message>
    <message>
        <source>Switch on</source>
        <translation>تشغيل</translation>
    </message>
    <message numerus="yes">
        <source>{count} models of {label}</source>
        <comment>{count} model of {label}</comment>
        <translation>
            <numerusform>لا نماذج لدى {label}</numerusform>
            <numerusform>نموذج واحد لدى {label}</numerusform>
            <numerusform>نموذجان لدى {label}</numerusform>
            <numerusform>{count} نماذج لدى {label}</numerusform>
            <numerusform>{count} نموذجًا لدى {label}</numerusform>
            <numerusform>{count} نموذج لدى {label}</numerusform>
        </translation>
    </message>
    <message>
        <source>Fetched {fetched}</source>
        <translation>جُلبت {fetched}</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>جارٍ البحث…</translation>
    </message>
    <message>
        <source>Not tested</source>
        <translation>لم يُختبر</translation>
    </message>
    <message>
        <source>Result of the test</source>
        <translation>نتيجة الاختبار</translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation>كل شيء يعمل.</translation>
    </message>
    <message>
        <source>Encryption</source>
        <translation>التشفير</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>المفتاح</translation>
    </message>
    <message>
        <source>Streaming</source>
        <translation>البث المتدفق</translation>
    </message>
    <message>
        <source>The key is not used before you agree</source>
        <translation>لا يُستخدم المفتاح قبل أن توافق</translation>
    </message>
    <message>
        <source>Key from the variable {variable}</source>
        <translation>المفتاح من المتغيّر {variable}</translation>
    </message>
    <message>
        <source>API key in the system keyring</source>
        <translation>مفتاح API في حلقة مفاتيح النظام</translation>
    </message>
    <message>
        <source>API key in the encrypted file</source>
        <translation>مفتاح API في الملف المشفّر</translation>
    </message>
    <message>
        <source>API key for this run only</source>
        <translation>مفتاح API لهذا التشغيل فقط</translation>
    </message>
    <message>
        <source>No key yet</source>
        <translation>لا مفتاح بعد</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>على هذا الحاسوب</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address</source>
        <translation>أي عنوان متوافق مع OpenAI</translation>
    </message>
    <message>
        <source>No key needed</source>
        <translation>لا حاجة إلى مفتاح</translation>
    </message>
    <message>
        <source>{code}: the key was refused</source>
        <translation>{code}: رُفض المفتاح</translation>
    </message>
    <message numerus="yes">
        <source>Works, {count} models</source>
        <comment>Works, {count} model</comment>
        <translation>
            <numerusform>يعمل، لا نماذج</numerusform>
            <numerusform>يعمل، نموذج واحد</numerusform>
            <numerusform>يعمل، نموذجان</numerusform>
            <numerusform>يعمل، {count} نماذج</numerusform>
            <numerusform>يعمل، {count} نموذجًا</numerusform>
            <numerusform>يعمل، {count} نموذج</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk first backs up what is there now. Then it closes, restores the backup you chose, and opens again.</source>
        <translation>ينسخ ChatDesk أولًا ما هو موجود الآن نسخًا احتياطيًا. ثم يُغلق ويستعيد النسخة الاحتياطية التي اخترتها ويُفتح من جديد.</translation>
    </message>
    <message>
        <source>Restore a backup</source>
        <translation>استعادة نسخة احتياطية</translation>
    </message>
    <message>
        <source>Backups, the newest first</source>
        <translation>النسخ الاحتياطية، الأحدث أولًا</translation>
    </message>
    <message>
        <source>Other file…</source>
        <translation>ملف آخر…</translation>
    </message>
    <message>
        <source>There is no backup yet.</source>
        <translation>لا توجد نسخة احتياطية بعد.</translation>
    </message>
    <message>
        <source>Looking into it…</source>
        <translation>يجري النظر فيها…</translation>
    </message>
    <message>
        <source>Unpacking and checking the backup…</source>
        <translation>يجري فك ضغط النسخة الاحتياطية وفحصها…</translation>
    </message>
    <message>
        <source>Choose a backup</source>
        <translation>اختيار نسخة احتياطية</translation>
    </message>
    <message>
        <source>Backups (*.zip *.gz *.db);;All files (*)</source>
        <translation>النسخ الاحتياطية (*.zip *.gz *.db);;كل الملفات (*)</translation>
    </message>
    <message>
        <source>before a restore</source>
        <translation>قبل استعادة</translation>
    </message>
    <message>
        <source>before a repair</source>
        <translation>قبل إصلاح</translation>
    </message>
    <message>
        <source>before an upgrade</source>
        <translation>قبل ترقية</translation>
    </message>
    <message>
        <source>daily</source>
        <translation>يومية</translation>
    </message>
    <message>
        <source>Newest message: {newest}</source>
        <translation>أحدث رسالة: {newest}</translation>
    </message>
    <message>
        <source>Newest threads:</source>
        <translation>أحدث المحادثات:</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>الإعدادات</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>بحث</translation>
    </message>
    <message>
        <source>Not saved: {why}.</source>
        <translation>لم يُحفظ: {why}.</translation>
    </message>
    <message>
        <source>Pages of the settings</source>
        <translation>صفحات الإعدادات</translation>
    </message>
    <message>
        <source>The environment variable {env} decides this.</source>
        <translation>متغيّر البيئة {env} يحدّد هذا.</translation>
    </message>
    <message>
        <source>{hint} It is tried out until {day}, and may change.</source>
        <translation>{hint} قيد التجربة حتى {day} وقد يتغيّر.</translation>
    </message>
    <message>
        <source>Add a provider</source>
        <translation>إضافة مزوّد</translation>
    </message>
    <message>
        <source>API key server model connect</source>
        <translation>مفتاح API خادم نموذج اتصال</translation>
    </message>
    <message>
        <source>keys</source>
        <translation>مفاتيح</translation>
    </message>
    <message>
        <source>global shortcut hotkey quick window</source>
        <translation>اختصار عام مفتاح سريع النافذة السريعة</translation>
    </message>
    <message>
        <source>workspace join share invite</source>
        <translation>مساحة عمل انضمام مشاركة دعوة</translation>
    </message>
    <message>
        <source>sync folder recovery phrase laptop</source>
        <translation>مزامنة مجلّد عبارة استرداد حاسوب محمول</translation>
    </message>
    <message>
        <source>cost money tokens price spend</source>
        <translation>تكلفة مال رموز سعر إنفاق</translation>
    </message>
    <message>
        <source>Found settings</source>
        <translation>الإعدادات التي عُثر عليها</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>لم يُعثر على شيء</translation>
    </message>
    <message numerus="yes">
        <source>days</source>
        <comment>day</comment>
        <translation>
            <numerusform>يوم</numerusform>
            <numerusform>يوم</numerusform>
            <numerusform>يوم</numerusform>
            <numerusform>أيام</numerusform>
            <numerusform>يومًا</numerusform>
            <numerusform>يوم</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>weeks</source>
        <comment>week</comment>
        <translation>
            <numerusform>أسبوع</numerusform>
            <numerusform>أسبوع</numerusform>
            <numerusform>أسبوع</numerusform>
            <numerusform>أسابيع</numerusform>
            <numerusform>أسبوعًا</numerusform>
            <numerusform>أسبوع</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>minutes</source>
        <comment>minute</comment>
        <translation>
            <numerusform>دقيقة</numerusform>
            <numerusform>دقيقة</numerusform>
            <numerusform>دقيقة</numerusform>
            <numerusform>دقائق</numerusform>
            <numerusform>دقيقة</numerusform>
            <numerusform>دقيقة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>seconds</source>
        <comment>second</comment>
        <translation>
            <numerusform>ثانية</numerusform>
            <numerusform>ثانية</numerusform>
            <numerusform>ثانية</numerusform>
            <numerusform>ثوانٍ</numerusform>
            <numerusform>ثانية</numerusform>
            <numerusform>ثانية</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tokens</source>
        <comment>token</comment>
        <translation>
            <numerusform>رمز</numerusform>
            <numerusform>رمز</numerusform>
            <numerusform>رمز</numerusform>
            <numerusform>رموز</numerusform>
            <numerusform>رمزًا</numerusform>
            <numerusform>رمز</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>files</source>
        <comment>file</comment>
        <translation>
            <numerusform>ملف</numerusform>
            <numerusform>ملف</numerusform>
            <numerusform>ملف</numerusform>
            <numerusform>ملفات</numerusform>
            <numerusform>ملفًا</numerusform>
            <numerusform>ملف</numerusform>
        </translation>
    </message>
    <message>
        <source>Drafts, pins, the archive, what you marked for the context, your keys and your prompts stay on this computer. So do the project&apos;s files: the team sees only the names of the folders and files that you added, or their text if you choose so in Files.</source>
        <translation>تبقى المسودات والتثبيتات والأرشيف وما علّمته للسياق ومفاتيحك وموجِّهاتك على هذا الحاسوب. وكذلك ملفات المشروع: لا يرى الفريق إلا أسماء المجلّدات والملفات التي أضفتها، أو نصها أيضًا إن اخترت ذلك في «الملفات».</translation>
    </message>
    <message>
        <source>Share “{name}”</source>
        <translation>مشاركة «{name}»</translation>
    </message>
    <message>
        <source>Counting…</source>
        <translation>جارٍ العدّ…</translation>
    </message>
    <message>
        <source>Workspace that the project is shared with</source>
        <translation>مساحة العمل التي يُشارَك معها المشروع</translation>
    </message>
    <message>
        <source>The project will be shared with “{name}”.</source>
        <translation>ستجري مشاركة المشروع مع «{name}».</translation>
    </message>
    <message>
        <source>Choose the workspace that the project is shared with.</source>
        <translation>اختر مساحة العمل التي تجري مشاركة المشروع معها.</translation>
    </message>
    <message>
        <source>With the workspace</source>
        <translation>مع مساحة العمل</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>مشاركة</translation>
    </message>
    <message>
        <source>New threads go into “{name}” unless you choose another project. Once it is shared, others see them. To keep it to yourself, make a new project for what you share.</source>
        <translation>تذهب المحادثات الجديدة إلى «{name}» ما لم تختر مشروعًا آخر. وبعد مشاركته يراها الآخرون. لإبقائه لك وحدك، أنشئ مشروعًا جديدًا لما تشاركه.</translation>
    </message>
    <message>
        <source>Who will see it</source>
        <translation>من سيراه</translation>
    </message>
    <message>
        <source>At first only you, on all your computers. Then those whom you give a role, here or by inviting them.</source>
        <translation>أنت وحدك أولًا، على كل حواسيبك. ثم من تمنحهم دورًا، هنا أو بدعوتهم.</translation>
    </message>
    <message>
        <source>What never leaves</source>
        <translation>ما لا يخرج أبدًا</translation>
    </message>
    <message>
        <source>What cannot be taken back</source>
        <translation>ما لا يمكن استرداده</translation>
    </message>
    <message>
        <source>Good to know</source>
        <translation>من المفيد معرفته</translation>
    </message>
    <message>
        <source>{who} Threads of a shared project cannot be moved out of it, only copied.</source>
        <translation>{who} لا يمكن نقل محادثات مشروع مشترك إلى خارجه، بل نسخها فقط.</translation>
    </message>
    <message>
        <source>Sharing the project…</source>
        <translation>تجري مشاركة المشروع…</translation>
    </message>
    <message>
        <source>Sharing of “{name}”</source>
        <translation>إدارة مشاركة «{name}»</translation>
    </message>
    <message>
        <source>Shared with “{workspace}”. Your role is {role}: {hint}.</source>
        <translation>مشترك مع «{workspace}». دورك {role}: {hint}.</translation>
    </message>
    <message>
        <source>Who sees it</source>
        <translation>من يراه</translation>
    </message>
    <message>
        <source>How long messages are kept</source>
        <translation>مدة حفظ الرسائل</translation>
    </message>
    <message>
        <source>Stop sharing…</source>
        <translation>إيقاف المشاركة…</translation>
    </message>
    <message>
        <source>Leave project…</source>
        <translation>مغادرة المشروع…</translation>
    </message>
    <message>
        <source>Stop and erase…</source>
        <translation>إيقاف ومحو…</translation>
    </message>
    <message>
        <source>Invite…</source>
        <translation>دعوة…</translation>
    </message>
    <message>
        <source>Role of {name}</source>
        <translation>دور {name}</translation>
    </message>
    <message>
        <source>Member</source>
        <translation>العضو</translation>
    </message>
    <message>
        <source>A change takes effect at once. People who lose access keep the copy that is on their computer already.</source>
        <translation>يسري التغيير فورًا. ومن يفقد الوصول يحتفظ بالنسخة الموجودة على حاسوبه.</translation>
    </message>
    <message>
        <source>Setting how long messages are kept…</source>
        <translation>يجري تعيين مدة حفظ الرسائل…</translation>
    </message>
    <message>
        <source>Changing the role…</source>
        <translation>يجري تغيير الدور…</translation>
    </message>
    <message>
        <source>Older messages are being sent.</source>
        <translation>يجري إرسال الرسائل الأقدم.</translation>
    </message>
    <message>
        <source>Everything in it has reached the team.</source>
        <translation>وصل كل ما فيه إلى الفريق.</translation>
    </message>
    <message>
        <source>Sharing ends for everybody at once.</source>
        <translation>تنتهي المشاركة للجميع فورًا.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members can no longer see what is new.</source>
        <comment>{count} other member can no longer see what is new.</comment>
        <translation>
            <numerusform>لا أعضاء آخرين متأثرون.</numerusform>
            <numerusform>لن يرى عضو آخر واحد الجديد بعد الآن.</numerusform>
            <numerusform>لن يرى عضوان آخران الجديد بعد الآن.</numerusform>
            <numerusform>لن يرى {count} أعضاء آخرين الجديد بعد الآن.</numerusform>
            <numerusform>لن يرى {count} عضوًا آخر الجديد بعد الآن.</numerusform>
            <numerusform>لن يرى {count} عضو آخر الجديد بعد الآن.</numerusform>
        </translation>
    </message>
    <message>
        <source>Each computer that has it keeps its copy as a private project, this one too; nothing is deleted here.</source>
        <translation>كل حاسوب يوجد عليه يحتفظ بنسخته مشروعًا خاصًا، وهذا أيضًا؛ ولا يُحذف شيء هنا.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}”?</source>
        <translation>هل تريد إيقاف مشاركة «{name}»؟</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>إيقاف المشاركة</translation>
    </message>
    <message>
        <source>You and the others no longer get each other&apos;s messages. The copy on this computer stays, as a private project. To come back, somebody who manages it has to give you a role again.</source>
        <translation>لن تتلقى أنت والآخرون رسائل بعضكم بعد الآن. تبقى النسخة التي على هذا الحاسوب مشروعًا خاصًا. وللعودة، يجب أن يمنحك من يديره دورًا من جديد.</translation>
    </message>
    <message>
        <source>Leave “{name}”?</source>
        <translation>هل تريد مغادرة «{name}»؟</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>مغادرة</translation>
    </message>
    <message>
        <source>Everything in it is removed: from the server at once, and from every computer when it syncs next, this one too.</source>
        <translation>يُزال كل ما فيه: من الخادم فورًا، ومن كل حاسوب عند مزامنته التالية، وهذا أيضًا.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members lose it, too.</source>
        <comment>{count} other member loses it, too.</comment>
        <translation>
            <numerusform>لا أعضاء آخرين يفقدونه.</numerusform>
            <numerusform>يفقده عضو آخر واحد أيضًا.</numerusform>
            <numerusform>يفقده عضوان آخران أيضًا.</numerusform>
            <numerusform>يفقده {count} أعضاء آخرين أيضًا.</numerusform>
            <numerusform>يفقده {count} عضوًا آخر أيضًا.</numerusform>
            <numerusform>يفقده {count} عضو آخر أيضًا.</numerusform>
        </translation>
    </message>
    <message>
        <source>What somebody wrote and did not send yet stays with them. This cannot be undone. Backups keep it until they are replaced, and so does anyone who copied or exported it, or left with a private copy.</source>
        <translation>ما كتبه أحد ولم يرسله بعد يبقى لديه. لا يمكن التراجع عن هذا. وتبقى نسخ منه في النسخ الاحتياطية إلى أن تُستبدل، ولدى من نسخه أو صدّره أو غادر بنسخة خاصة.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}” and erase it for everyone?</source>
        <translation>هل تريد إيقاف مشاركة «{name}» ومحوه عند الجميع؟</translation>
    </message>
    <message>
        <source>Stop and erase</source>
        <translation>إيقاف ومحو</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes of yours did not reach the team yet and will stay only here.</source>
        <comment>{count} change of yours did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>وصلت كل تغييراتك إلى الفريق.</numerusform>
            <numerusform>تغيير واحد لك لم يصل إلى الفريق بعد وسيبقى هنا فقط.</numerusform>
            <numerusform>تغييران لك لم يصلا إلى الفريق بعد وسيبقيان هنا فقط.</numerusform>
            <numerusform>{count} تغييرات لك لم تصل إلى الفريق بعد وستبقى هنا فقط.</numerusform>
            <numerusform>{count} تغييرًا لك لم تصل إلى الفريق بعد وستبقى هنا فقط.</numerusform>
            <numerusform>{count} تغيير لك لم تصل إلى الفريق بعد وستبقى هنا فقط.</numerusform>
        </translation>
    </message>
    <message>
        <source>Copy text</source>
        <translation>نسخ النص</translation>
    </message>
    <message>
        <source>Team sync: details</source>
        <translation>مزامنة الفريق: التفاصيل</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>مساحة العمل</translation>
    </message>
    <message>
        <source>Check against the server</source>
        <translation>المقارنة بالخادم</translation>
    </message>
    <message>
        <source>When</source>
        <translation>متى</translation>
    </message>
    <message>
        <source>What</source>
        <translation>ماذا</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>المدة</translation>
    </message>
    <message>
        <source>Sync log</source>
        <translation>سجل المزامنة</translation>
    </message>
    <message>
        <source>{count} ms</source>
        <translation>{count} م.ث ||| {count} م.ث ||| {count} م.ث ||| {count} م.ث ||| {count} م.ث ||| {count} م.ث</translation>
    </message>
    <message>
        <source>Go on without them…</source>
        <translation>المتابعة من دونها…</translation>
    </message>
    <message numerus="yes">
        <source>Refused: {count} changes</source>
        <comment>Refused: {count} change</comment>
        <translation>
            <numerusform>المرفوض: لا تغييرات</numerusform>
            <numerusform>المرفوض: تغيير واحد</numerusform>
            <numerusform>المرفوض: تغييران</numerusform>
            <numerusform>المرفوض: {count} تغييرات</numerusform>
            <numerusform>المرفوض: {count} تغييرًا</numerusform>
            <numerusform>المرفوض: {count} تغيير</numerusform>
        </translation>
    </message>
    <message>
        <source>Why</source>
        <translation>السبب</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>النص</translation>
    </message>
    <message>
        <source>Refused changes</source>
        <translation>تغييرات مرفوضة</translation>
    </message>
    <message>
        <source>The team does not have these, or has something else in their place. They are kept on this computer only, until you forget them.</source>
        <translation>ليست هذه لدى الفريق، أو لديه شيء آخر مكانها. تُحفظ على هذا الحاسوب وحده إلى أن تنساها.</translation>
    </message>
    <message>
        <source>Forget…</source>
        <translation>نسيان…</translation>
    </message>
    <message>
        <source>For the selected changes</source>
        <translation>للتغييرات المحددة</translation>
    </message>
    <message>
        <source>Asking the server…</source>
        <translation>جارٍ سؤال الخادم…</translation>
    </message>
    <message>
        <source>… and {count} more.</source>
        <translation>… و{count} أخرى.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects</source>
        <comment>{count} project</comment>
        <translation>
            <numerusform>لا مشاريع</numerusform>
            <numerusform>مشروع واحد</numerusform>
            <numerusform>مشروعان</numerusform>
            <numerusform>{count} مشاريع</numerusform>
            <numerusform>{count} مشروعًا</numerusform>
            <numerusform>{count} مشروع</numerusform>
        </translation>
    </message>
    <message>
        <source>Encrypted, the server proves who it is</source>
        <translation>مشفّر، ويثبت الخادم هويته</translation>
    </message>
    <message>
        <source>Not encrypted, for a server on this computer or in a network of your own</source>
        <translation>بلا تشفير، لخادم على هذا الحاسوب أو في شبكتك الخاصة</translation>
    </message>
    <message>
        <source>Connection string</source>
        <translation>سلسلة الاتصال</translation>
    </message>
    <message>
        <source>Pasted text fills in the fields below.</source>
        <translation>النص الملصق يملأ الحقول أدناه.</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>المضيف</translation>
    </message>
    <message>
        <source>User</source>
        <translation>المستخدم</translation>
    </message>
    <message>
        <source>An empty database</source>
        <translation>قاعدة بيانات فارغة</translation>
    </message>
    <message>
        <source>An account that may create roles</source>
        <translation>حساب يحق له إنشاء الأدوار</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>كلمة المرور</translation>
    </message>
    <message>
        <source>Certificate file…</source>
        <translation>ملف الشهادة…</translation>
    </message>
    <message>
        <source>Certificate of the authority that vouches for the server</source>
        <translation>شهادة جهة الإصدار التي تضمن الخادم</translation>
    </message>
    <message>
        <source>Certificates that this computer trusts</source>
        <translation>الشهادات التي يثق بها هذا الحاسوب</translation>
    </message>
    <message>
        <source>Paste the connection string of an owner&apos;s account, or fill in the fields.</source>
        <translation>ألصق سلسلة الاتصال لحساب مالك، أو املأ الحقول.</translation>
    </message>
    <message>
        <source>Trusted certificates</source>
        <translation>الشهادات الموثوقة</translation>
    </message>
    <message>
        <source>The certificate named in the connection string</source>
        <translation>الشهادة المذكورة في سلسلة الاتصال</translation>
    </message>
    <message>
        <source>The certificate used so far</source>
        <translation>الشهادة المستخدمة حتى الآن</translation>
    </message>
    <message>
        <source>Certificate of the authority</source>
        <translation>شهادة جهة الإصدار</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form. Nothing was changed.</source>
        <translation>{name} ليس شهادة بصيغة PEM. لم يتغيّر شيء.</translation>
    </message>
    <message>
        <source>Only what {name} vouches for</source>
        <translation>ما يضمنه {name} فقط</translation>
    </message>
    <message>
        <source>fine</source>
        <translation>سليم</translation>
    </message>
    <message>
        <source>a warning</source>
        <translation>تحذير</translation>
    </message>
    <message>
        <source>Create a workspace</source>
        <translation>إنشاء مساحة عمل</translation>
    </message>
    <message>
        <source>Name of the workspace</source>
        <translation>اسم مساحة العمل</translation>
    </message>
    <message>
        <source>Your name, as the others see it</source>
        <translation>اسمك كما يراه الآخرون</translation>
    </message>
    <message>
        <source>For example: the name of your team</source>
        <translation>مثلًا: اسم فريقك</translation>
    </message>
    <message>
        <source>For example: Ana Lima</source>
        <translation>مثلًا: ليلى حداد</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>التالي</translation>
    </message>
    <message>
        <source>Set up</source>
        <translation>إعداد</translation>
    </message>
    <message>
        <source>Invite people…</source>
        <translation>دعوة أشخاص…</translation>
    </message>
    <message>
        <source>“{name}” is ready, and you are its owner. Nothing is shared yet: open a project and choose Share…, and invite the people you work with.</source>
        <translation>«{name}» جاهزة، وأنت مالكها. لم يُشارَك شيء بعد: افتح مشروعًا واختر مشاركة…، وادعُ من تعمل معهم.</translation>
    </message>
    <message>
        <source>A workspace is a PostgreSQL database, 15 or newer, that your team&apos;s computers share changes through. Give an empty one, and an account that may create roles; its password is used now and not kept.</source>
        <translation>مساحة العمل قاعدة بيانات PostgreSQL، ‏15 أو أحدث، تتشارك حواسيب فريقك التغييرات عبرها. اذكر قاعدة فارغة، وحسابًا يحق له إنشاء الأدوار؛ تُستخدم كلمة مروره الآن ولا تُحفظ.</translation>
    </message>
    <message>
        <source>Was the workspace set up by hand? Then sign in with your login.</source>
        <translation>هل أُعدّت مساحة العمل يدويًا؟ إذن سجّل الدخول بحسابك.</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>تسجيل الدخول</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>اسمك</translation>
    </message>
    <message>
        <source>If setting up is interrupted, set up the same database again: it continues.</source>
        <translation>إن قُطع الإعداد، فأعدّ قاعدة البيانات نفسها من جديد: يتابع من حيث توقف.</translation>
    </message>
    <message>
        <source>Looking at the database…</source>
        <translation>يجري النظر في قاعدة البيانات…</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>جارٍ تسجيل الدخول…</translation>
    </message>
    <message>
        <source>Setting up the workspace…</source>
        <translation>يجري إعداد مساحة العمل…</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>ما عُثر عليه</translation>
    </message>
    <message numerus="yes">
        <source>{count} problems must be fixed first.</source>
        <comment>{count} problem must be fixed first.</comment>
        <translation>
            <numerusform>لا مشكلات يجب حلّها أولًا.</numerusform>
            <numerusform>يجب حلّ مشكلة واحدة أولًا.</numerusform>
            <numerusform>يجب حلّ مشكلتين أولًا.</numerusform>
            <numerusform>يجب حلّ {count} مشكلات أولًا.</numerusform>
            <numerusform>يجب حلّ {count} مشكلة أولًا.</numerusform>
            <numerusform>يجب حلّ {count} مشكلة أولًا.</numerusform>
        </translation>
    </message>
    <message>
        <source>A workspace can be set up here.</source>
        <translation>يمكن إعداد مساحة عمل هنا.</translation>
    </message>
    <message>
        <source>A computer</source>
        <translation>حاسوب</translation>
    </message>
    <message>
        <source>Take off the list…</source>
        <translation>إزالة من القائمة…</translation>
    </message>
    <message>
        <source>Code</source>
        <comment>invitation</comment>
        <translation>الرمز</translation>
    </message>
    <message>
        <source>Copy the code</source>
        <translation>نسخ الرمز</translation>
    </message>
    <message>
        <source>Save as file…</source>
        <translation>حفظ كملف…</translation>
    </message>
    <message>
        <source>The code is in the clipboard.</source>
        <translation>الرمز في الحافظة.</translation>
    </message>
    <message>
        <source>The link is in the clipboard.</source>
        <translation>الرابط في الحافظة.</translation>
    </message>
    <message>
        <source>Save the invitation</source>
        <translation>حفظ الدعوة</translation>
    </message>
    <message>
        <source>Invitations (*{ending})</source>
        <translation>الدعوات (*{ending})</translation>
    </message>
    <message>
        <source>Saved as {name}. Anyone who has the file can use it, so send it only to them.</source>
        <translation>حُفظت باسم {name}. يمكن لمن لديه الملف استخدامه، فأرسله إلى المدعوّ وحده.</translation>
    </message>
    <message>
        <source>Invite to “{workspace}”</source>
        <translation>دعوة إلى «{workspace}»</translation>
    </message>
    <message>
        <source>{workspace} invitation</source>
        <translation>دعوة {workspace}</translation>
    </message>
    <message>
        <source>Who is invited</source>
        <translation>من المدعوّ</translation>
    </message>
    <message>
        <source>Can be used for</source>
        <translation>مدة الاستخدام</translation>
    </message>
    <message>
        <source>No project is shared yet, or you manage none. They can be given roles later, under Members.</source>
        <translation>لم يُشارَك أي مشروع بعد، أو لا تدير أيًا منها. يمكن منح المدعوّ أدوارًا لاحقًا، ضمن الأعضاء.</translation>
    </message>
    <message>
        <source>Make an invitation</source>
        <translation>إنشاء دعوة</translation>
    </message>
    <message>
        <source>Role in {name}</source>
        <translation>الدور في {name}</translation>
    </message>
    <message>
        <source>Their name; they can change it</source>
        <translation>اسمه؛ ويمكنه تغييره</translation>
    </message>
    <message>
        <source>Days for which the invitation can be used</source>
        <translation>عدد الأيام التي يمكن فيها استخدام الدعوة</translation>
    </message>
    <message>
        <source> days</source>
        <translation> يوم</translation>
    </message>
    <message>
        <source>Send this to {name} and nobody else: the first person who uses it takes that place. It works once, until {day}. They choose Join a workspace in Settings, Team sync.</source>
        <translation>أرسل هذا إلى {name} وحده: أول من يستخدمه يأخذ ذلك المكان. يعمل مرة واحدة، حتى {day}. ويختار المدعوّ الانضمام إلى مساحة عمل في الإعدادات، مزامنة الفريق.</translation>
    </message>
    <message>
        <source>Making the invitation…</source>
        <translation>يجري إنشاء الدعوة…</translation>
    </message>
    <message>
        <source>Add a computer of mine</source>
        <translation>إضافة حاسوب لي</translation>
    </message>
    <message>
        <source>{workspace} my computer</source>
        <translation>{workspace} حاسوبي</translation>
    </message>
    <message>
        <source>Type this passphrase on the other computer</source>
        <translation>اكتب عبارة المرور هذه على الحاسوب الآخر</translation>
    </message>
    <message>
        <source>Take the code or file to your other computer, choose Join a workspace there, and type the passphrase. It can be used until {day}. The code alone opens nothing; do not send both the same way.</source>
        <translation>خذ الرمز أو الملف إلى حاسوبك الآخر، واختر هناك الانضمام إلى مساحة عمل، واكتب عبارة المرور. يمكن استخدامه حتى {day}. الرمز وحده لا يفتح شيئًا؛ فلا ترسل الاثنين بالطريق نفسه.</translation>
    </message>
    <message>
        <source>Invitations (*{ending});;All files (*)</source>
        <translation>الدعوات (*{ending});;كل الملفات (*)</translation>
    </message>
    <message>
        <source>Join a workspace</source>
        <translation>الانضمام إلى مساحة عمل</translation>
    </message>
    <message>
        <source>Invitation</source>
        <translation>الدعوة</translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation>فتح ملف…</translation>
    </message>
    <message>
        <source>Join anyway: nothing is encrypted on the way</source>
        <translation>الانضمام على أي حال: لا شيء مشفّر في الطريق</translation>
    </message>
    <message>
        <source>Paste the code or link that you were given, or open its file.</source>
        <translation>ألصق الرمز أو الرابط الذي أُعطيته، أو افتح ملفه.</translation>
    </message>
    <message>
        <source>Passphrase that was shown beside the code</source>
        <translation>عبارة المرور التي ظهرت بجانب الرمز</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>انضمام</translation>
    </message>
    <message>
        <source>{name} cannot be read. Nothing was sent. Ask for the code as text.</source>
        <translation>تتعذّر قراءة {name}. لم يُرسَل شيء. اطلب الرمز نصًا.</translation>
    </message>
    <message>
        <source>Open an invitation</source>
        <translation>فتح دعوة</translation>
    </message>
    <message>
        <source>Joining the workspace…</source>
        <translation>يجري الانضمام إلى مساحة العمل…</translation>
    </message>
    <message>
        <source>Adds this computer to “{workspace}”. You are the same member as on the computer that made the code.</source>
        <translation>يضيف هذا الحاسوب إلى «{workspace}». وتكون فيه العضو نفسه الذي أنشأ الرمز على الحاسوب الآخر.</translation>
    </message>
    <message>
        <source>You are invited by {name} to “{workspace}”.</source>
        <translation>دعاك {name} إلى «{workspace}».</translation>
    </message>
    <message>
        <source>You are invited to “{workspace}”.</source>
        <translation>أنت مدعوّ إلى «{workspace}».</translation>
    </message>
    <message>
        <source>The database is {address}.</source>
        <translation>قاعدة البيانات هي {address}.</translation>
    </message>
    <message>
        <source>Projects: {projects}.</source>
        <translation>المشاريع: {projects}.</translation>
    </message>
    <message>
        <source>It expired on {day}. Ask for a new one.</source>
        <translation>انتهت الصلاحية يوم {day}. اطلب دعوة جديدة.</translation>
    </message>
    <message>
        <source>It can be used until {day}.</source>
        <translation>يمكن استخدامها حتى {day}.</translation>
    </message>
    <message>
        <source>It can be used once, until {day}.</source>
        <translation>يمكن استخدامها مرة واحدة، حتى {day}.</translation>
    </message>
    <message>
        <source>The way to this server is not encrypted: anyone on the way can read and change everything. That is fine for a server on this computer or a network that only you use.</source>
        <translation>الطريق إلى هذا الخادم بلا تشفير: يمكن لأي أحد في الطريق قراءة كل شيء وتغييره. لا بأس بذلك لخادم على هذا الحاسوب أو في شبكة لا يستخدمها غيرك.</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the password. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>ليست لهذا الحاسوب حلقة مفاتيح يمكنها حفظ كلمة المرور. احفظها في ملف مفاتيح ChatDesk المشفّر بدلًا من ذلك؛ وتدخل عبارة مروره مرة واحدة بعد كل بدء تشغيل.</translation>
    </message>
    <message>
        <source>Keep it in the file</source>
        <translation>حفظها في الملف</translation>
    </message>
    <message>
        <source>The passphrase of the file of keys</source>
        <translation>عبارة مرور ملف المفاتيح</translation>
    </message>
    <message>
        <source>Leave “{workspace}”?</source>
        <translation>هل تريد مغادرة «{workspace}»؟</translation>
    </message>
    <message>
        <source>Its projects stay on this computer, as private copies. Nothing is deleted here or there.</source>
        <translation>تبقى مشاريعها على هذا الحاسوب نسخًا خاصة. ولا يُحذف شيء هنا أو هناك.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes did not reach the team yet and will stay only here.</source>
        <comment>{count} change did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>وصلت كل التغييرات إلى الفريق.</numerusform>
            <numerusform>تغيير واحد لم يصل إلى الفريق بعد وسيبقى هنا فقط.</numerusform>
            <numerusform>تغييران لم يصلا إلى الفريق بعد وسيبقيان هنا فقط.</numerusform>
            <numerusform>{count} تغييرات لم تصل إلى الفريق بعد وستبقى هنا فقط.</numerusform>
            <numerusform>{count} تغييرًا لم تصل إلى الفريق بعد وستبقى هنا فقط.</numerusform>
            <numerusform>{count} تغيير لم تصل إلى الفريق بعد وستبقى هنا فقط.</numerusform>
        </translation>
    </message>
    <message>
        <source>Only on this computer</source>
        <translation>على هذا الحاسوب فقط</translation>
    </message>
    <message>
        <source>For good: end my membership</source>
        <translation>نهائيًا: إنهاء عضويتي</translation>
    </message>
    <message>
        <source>You stay a member; a code from another computer of yours brings this one back.</source>
        <translation>تبقى عضوًا؛ ورمز من حاسوب آخر لك يعيد هذا الحاسوب.</translation>
    </message>
    <message>
        <source>Leaving the workspace…</source>
        <translation>تجري مغادرة مساحة العمل…</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>استخدام</translation>
    </message>
    <message>
        <source>Password for “{workspace}”</source>
        <translation>كلمة مرور «{workspace}»</translation>
    </message>
    <message>
        <source>ChatDesk made this password when you joined and keeps it with your keys. If it is lost, ask for a new invitation, or take a code from another computer of yours.</source>
        <translation>أنشأ ChatDesk كلمة المرور هذه عندما انضممت ويحفظها مع مفاتيحك. إن فُقدت، فاطلب دعوة جديدة، أو خذ رمزًا من حاسوب آخر لك.</translation>
    </message>
    <message>
        <source>Trying the password…</source>
        <translation>تجري تجربة كلمة المرور…</translation>
    </message>
    <message>
        <source>Rename the workspace</source>
        <translation>إعادة تسمية مساحة العمل</translation>
    </message>
    <message>
        <source>All members see the new name.</source>
        <translation>يرى كل الأعضاء الاسم الجديد.</translation>
    </message>
    <message>
        <source>Renaming the workspace…</source>
        <translation>تجري إعادة تسمية مساحة العمل…</translation>
    </message>
    <message>
        <source>On all of your computers. What you wrote stays with the team; to come back you need an invitation.</source>
        <translation>على كل حواسيبك. يبقى ما كتبته لدى الفريق؛ وللعودة تحتاج إلى دعوة.</translation>
    </message>
    <message>
        <source>Make somebody else an owner first.</source>
        <translation>اجعل شخصًا آخر مالكًا أولًا.</translation>
    </message>
    <message>
        <source>Owners invite people, remove members and make others owners.</source>
        <translation>المالكون يدعون الأشخاص ويزيلون الأعضاء ويجعلون غيرهم مالكين.</translation>
    </message>
    <message>
        <source>End their connections: for somebody whose unfinished change holds up the others</source>
        <translation>إنهاء اتصالاته: لمن يعطّل تغييره غير المكتمل الآخرين</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>الأدوار</translation>
    </message>
    <message>
        <source>My name…</source>
        <translation>اسمي…</translation>
    </message>
    <message>
        <source>Manage…</source>
        <translation>إدارة…</translation>
    </message>
    <message>
        <source>New password…</source>
        <translation>كلمة مرور جديدة…</translation>
    </message>
    <message>
        <source>End their connections</source>
        <translation>إنهاء اتصالاته</translation>
    </message>
    <message>
        <source>Remove from the workspace…</source>
        <translation>إزالة من مساحة العمل…</translation>
    </message>
    <message>
        <source>Change name</source>
        <translation>تغيير الاسم</translation>
    </message>
    <message>
        <source>Owner of the workspace</source>
        <translation>مالك مساحة العمل</translation>
    </message>
    <message>
        <source>Telling the server…</source>
        <translation>يجري إبلاغ الخادم…</translation>
    </message>
    <message>
        <source>Changing your name…</source>
        <translation>يجري تغيير اسمك…</translation>
    </message>
    <message>
        <source>{people} and {more} more</source>
        <translation>{people} و{more} آخرين</translation>
    </message>
    <message>
        <source>{name} invited {people}. They are still members, with the roles they have. Remove them as well if they came for {name} only; what they wrote stays either way.</source>
        <translation>دعا {name} كلًا من {people}. وما زالوا أعضاء بأدوارهم الحالية. أزلهم أيضًا إن كانوا قد جاؤوا من أجل {name} فقط؛ ويبقى ما كتبوه في الحالتين.</translation>
    </message>
    <message>
        <source>{name} can no longer log in, from any computer, from this moment on. What they wrote stays with the team; what is on their computer already stays there. To have them back, invite them again.</source>
        <translation>لن يستطيع {name} تسجيل الدخول، من أي حاسوب، من هذه اللحظة. يبقى ما كتبه لدى الفريق؛ وما على حاسوبه يبقى هناك. ولإعادته، ادعه من جديد.</translation>
    </message>
    <message>
        <source>This computer gets a new password that nobody sees. Your other computers can no longer log in with the old one: add them again with Add a computer of mine. Nothing is deleted.</source>
        <translation>يحصل هذا الحاسوب على كلمة مرور جديدة لا يراها أحد. ولن تستطيع حواسيبك الأخرى تسجيل الدخول بالقديمة: أضفها من جديد باستخدام إضافة حاسوب لي. لا يُحذف شيء.</translation>
    </message>
    <message>
        <source>This profile was restored or repaired, or a copy of it is in use. ChatDesk does not connect to {address} until you say so; what waits here is sent then.</source>
        <translation>استُعيد هذا الملف الشخصي أو أُصلح، أو تُستعمل نسخة منه. لا يتصل ChatDesk بـ {address} إلى أن تطلب ذلك؛ وعندئذ يُرسل ما ينتظر هنا.</translation>
    </message>
    <message>
        <source>Connect again</source>
        <translation>الاتصال من جديد</translation>
    </message>
    <message>
        <source>Give it up</source>
        <translation>التخلي عنه</translation>
    </message>
    <message>
        <source>Give {name} up; its projects stay here as private copies</source>
        <translation>التخلي عن {name}؛ وتبقى مشاريعها هنا نسخًا خاصة</translation>
    </message>
    <message>
        <source>Create another workspace…</source>
        <translation>إنشاء مساحة عمل أخرى…</translation>
    </message>
    <message>
        <source>Join another workspace…</source>
        <translation>الانضمام إلى مساحة عمل أخرى…</translation>
    </message>
    <message>
        <source>Work in the same projects with others, or on several computers of yours. Every computer keeps everything and works offline; a PostgreSQL database of yours carries the changes, and no server of ours is involved.</source>
        <translation>اعمل مع آخرين في المشاريع نفسها، أو على عدة حواسيب لك. يحتفظ كل حاسوب بكل شيء ويعمل دون اتصال؛ وتنقل التغييراتِ قاعدةُ بيانات PostgreSQL تخصّك، ولا يتدخل أي خادم لنا.</translation>
    </message>
    <message>
        <source>For a team that has none: sets up an empty database that you give, and makes you its owner.</source>
        <translation>لفريق ليست له مساحة: يُعدّ قاعدة بيانات فارغة تذكرها، ويجعلك مالكها.</translation>
    </message>
    <message>
        <source>Create a workspace…</source>
        <translation>إنشاء مساحة عمل…</translation>
    </message>
    <message>
        <source>With an invitation: a code, a link or a file that somebody of the team, or another computer of yours, made. Nothing is sent before you have seen what it is.</source>
        <translation>بدعوة: رمز أو رابط أو ملف أنشأه أحد أعضاء الفريق، أو حاسوب آخر لك. لا يُرسَل شيء قبل أن ترى ما هو.</translation>
    </message>
    <message>
        <source>Enter the password…</source>
        <translation>إدخال كلمة المرور…</translation>
    </message>
    <message>
        <source>Details of syncing with {name}</source>
        <translation>تفاصيل المزامنة مع {name}</translation>
    </message>
    <message>
        <source>{address}, joined {day}</source>
        <translation>{address}، انضممت {day}</translation>
    </message>
    <message>
        <source>Shared projects</source>
        <translation>المشاريع المشتركة</translation>
    </message>
    <message>
        <source>Role and state</source>
        <translation>الدور والحالة</translation>
    </message>
    <message>
        <source>Sharing…</source>
        <translation>إدارة المشاركة…</translation>
    </message>
    <message>
        <source>None yet. Open a project and choose Share… in its menu; only what you share leaves this computer.</source>
        <translation>لا شيء بعد. افتح مشروعًا واختر مشاركة… في قائمته؛ ولا يخرج من هذا الحاسوب إلا ما تشاركه.</translation>
    </message>
    <message>
        <source>Members</source>
        <translation>الأعضاء</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>الأجهزة</translation>
    </message>
    <message>
        <source>Computer</source>
        <translation>الحاسوب</translation>
    </message>
    <message>
        <source>About</source>
        <translation>نبذة</translation>
    </message>
    <message>
        <source>somebody</source>
        <translation>شخص ما</translation>
    </message>
    <message>
        <source>Add a computer of mine…</source>
        <translation>إضافة حاسوب لي…</translation>
    </message>
    <message>
        <source>Address…</source>
        <translation>العنوان…</translation>
    </message>
    <message>
        <source>Address of the server of {name}</source>
        <translation>عنوان خادم {name}</translation>
    </message>
    <message>
        <source>Leave…</source>
        <translation>مغادرة…</translation>
    </message>
    <message>
        <source>Invite somebody to {name}</source>
        <translation>دعوة شخص إلى {name}</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>إعادة تسمية…</translation>
    </message>
    <message>
        <source>That computer can no longer sync under this name; what is on it stays there. If it was lost, also make a new password under My name, and add your other computers again.</source>
        <translation>لم يعد ذلك الحاسوب قادرًا على المزامنة بهذا الاسم؛ وما عليه يبقى هناك. إن كان قد فُقد فأنشئ أيضًا كلمة مرور جديدة تحت «اسمي»، وأضف حواسيبك الأخرى من جديد.</translation>
    </message>
    <message>
        <source>A project that is not here yet</source>
        <translation>مشروع ليس هنا بعد</translation>
    </message>
    <message>
        <source>Share…</source>
        <translation>مشاركة…</translation>
    </message>
    <message>
        <source>Keep messages</source>
        <translation>حفظ الرسائل</translation>
    </message>
    <message>
        <source>Older messages are erased for everybody, about once a day; that cannot be undone.</source>
        <translation>تُمحى الرسائل الأقدم عند الجميع، مرة في اليوم تقريبًا؛ ولا يمكن التراجع عن ذلك.</translation>
    </message>
    <message>
        <source>Days for which messages are kept</source>
        <translation>عدد الأيام التي تُحفظ فيها الرسائل</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>تعيين</translation>
    </message>
    <message>
        <source>Set how long messages are kept</source>
        <translation>تعيين مدة حفظ الرسائل</translation>
    </message>
    <message>
        <source>Other…</source>
        <translation>غير ذلك…</translation>
    </message>
    <message>
        <source>For ever</source>
        <translation>إلى الأبد</translation>
    </message>
    <message numerus="yes">
        <source>For {count} days</source>
        <comment>For {count} day</comment>
        <translation>
            <numerusform>صفر يوم</numerusform>
            <numerusform>ليوم واحد</numerusform>
            <numerusform>ليومين</numerusform>
            <numerusform>لمدة {count} أيام</numerusform>
            <numerusform>لمدة {count} يومًا</numerusform>
            <numerusform>لمدة {count} يوم</numerusform>
        </translation>
    </message>
    <message>
        <source>Messages are kept for ever.</source>
        <translation>تُحفظ الرسائل إلى الأبد.</translation>
    </message>
    <message numerus="yes">
        <source>Messages are kept for {count} days.</source>
        <comment>Messages are kept for {count} day.</comment>
        <translation>
            <numerusform>لا تُحفظ الرسائل.</numerusform>
            <numerusform>تُحفظ الرسائل يومًا واحدًا.</numerusform>
            <numerusform>تُحفظ الرسائل يومين.</numerusform>
            <numerusform>تُحفظ الرسائل {count} أيام.</numerusform>
            <numerusform>تُحفظ الرسائل {count} يومًا.</numerusform>
            <numerusform>تُحفظ الرسائل {count} يوم.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Messages that are older than {count} days are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</source>
        <comment>Messages that are older than {count} day are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</comment>
        <translation>
            <numerusform>تُمحى كل الرسائل عند الجميع، الآن ومن الآن فصاعدًا: من الخادم، ومن كل حاسوب عند مزامنته التالية. لا يمكن التراجع عن هذا. وتبقى نسخ منها في النسخ الاحتياطية والنسخ الخاصة وما نسخه أحد إلى مكان آخر.</numerusform>
            <numerusform>تُمحى الرسائل التي مضى عليها أكثر من يوم واحد عند الجميع، الآن ومن الآن فصاعدًا: من الخادم، ومن كل حاسوب عند مزامنته التالية. لا يمكن التراجع عن هذا. وتبقى نسخ منها في النسخ الاحتياطية والنسخ الخاصة وما نسخه أحد إلى مكان آخر.</numerusform>
            <numerusform>تُمحى الرسائل التي مضى عليها أكثر من يومين عند الجميع، الآن ومن الآن فصاعدًا: من الخادم، ومن كل حاسوب عند مزامنته التالية. لا يمكن التراجع عن هذا. وتبقى نسخ منها في النسخ الاحتياطية والنسخ الخاصة وما نسخه أحد إلى مكان آخر.</numerusform>
            <numerusform>تُمحى الرسائل التي مضى عليها أكثر من {count} أيام عند الجميع، الآن ومن الآن فصاعدًا: من الخادم، ومن كل حاسوب عند مزامنته التالية. لا يمكن التراجع عن هذا. وتبقى نسخ منها في النسخ الاحتياطية والنسخ الخاصة وما نسخه أحد إلى مكان آخر.</numerusform>
            <numerusform>تُمحى الرسائل التي مضى عليها أكثر من {count} يومًا عند الجميع، الآن ومن الآن فصاعدًا: من الخادم، ومن كل حاسوب عند مزامنته التالية. لا يمكن التراجع عن هذا. وتبقى نسخ منها في النسخ الاحتياطية والنسخ الخاصة وما نسخه أحد إلى مكان آخر.</numerusform>
            <numerusform>تُمحى الرسائل التي مضى عليها أكثر من {count} يوم عند الجميع، الآن ومن الآن فصاعدًا: من الخادم، ومن كل حاسوب عند مزامنته التالية. لا يمكن التراجع عن هذا. وتبقى نسخ منها في النسخ الاحتياطية والنسخ الخاصة وما نسخه أحد إلى مكان آخر.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Keep messages of “{name}” for {count} days only?</source>
        <comment>Keep messages of “{name}” for {count} day only?</comment>
        <translation>
            <numerusform>هل تريد عدم حفظ رسائل «{name}»؟</numerusform>
            <numerusform>هل تريد حفظ رسائل «{name}» يومًا واحدًا فقط؟</numerusform>
            <numerusform>هل تريد حفظ رسائل «{name}» يومين فقط؟</numerusform>
            <numerusform>هل تريد حفظ رسائل «{name}» {count} أيام فقط؟</numerusform>
            <numerusform>هل تريد حفظ رسائل «{name}» {count} يومًا فقط؟</numerusform>
            <numerusform>هل تريد حفظ رسائل «{name}» {count} يوم فقط؟</numerusform>
        </translation>
    </message>
    <message>
        <source>Erase what is older</source>
        <translation>محو الأقدم</translation>
    </message>
    <message>
        <source>No access</source>
        <translation>بلا وصول</translation>
    </message>
    <message>
        <source>{role}: {rights}.</source>
        <translation>{role}: {rights}.</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>الدور</translation>
    </message>
    <message>
        <source>{what} and role</source>
        <translation>{what} والدور</translation>
    </message>
    <message>
        <source>Where “{workspace}” is reached</source>
        <translation>أين يُوصَل إلى «{workspace}»</translation>
    </message>
    <message>
        <source>For a server that moved, or has another name now. ChatDesk first checks that this workspace is there. Your login stays; your other computers and the other members move for themselves.</source>
        <translation>لخادم انتقل، أو صار له اسم آخر. يتحقّق ChatDesk أولًا من وجود مساحة العمل هذه هناك. ويبقى حساب دخولك؛ أما حواسيبك الأخرى والأعضاء الآخرون فينتقلون بأنفسهم.</translation>
    </message>
    <message>
        <source>Use this address</source>
        <translation>استخدام هذا العنوان</translation>
    </message>
    <message>
        <source>Looking for the workspace…</source>
        <translation>يجري البحث عن مساحة العمل…</translation>
    </message>
    <message>
        <source>Viewer</source>
        <translation>مُطالِع</translation>
    </message>
    <message>
        <source>Editor</source>
        <translation>محرِّر</translation>
    </message>
    <message>
        <source>Admin</source>
        <translation>مشرف</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>مالك</translation>
    </message>
    <message>
        <source>reads</source>
        <translation>يقرأ</translation>
    </message>
    <message>
        <source>reads and writes, changes and deletes their own</source>
        <translation>يقرأ ويكتب، ويغيّر ما يخصّه ويحذفه</translation>
    </message>
    <message>
        <source>changes and deletes everything, and manages members</source>
        <translation>يغيّر كل شيء ويحذفه، ويدير الأعضاء</translation>
    </message>
    <message>
        <source>does everything, and may end the sharing for everybody</source>
        <translation>يفعل كل شيء، ويحق له إنهاء المشاركة عند الجميع</translation>
    </message>
    <message>
        <source>Only projects that you share leave this computer: their threads, messages, attachments and summaries. Keys, drafts, pins, the prompt library and everything else stay here.</source>
        <translation>لا تخرج من هذا الحاسوب إلا المشاريع التي تشاركها: محادثاتها ورسائلها ومرفقاتها وملخّصاتها. أما المفاتيح والمسودات والتثبيتات ومكتبة الموجِّهات وكل ما عداها فتبقى هنا.</translation>
    </message>
    <message>
        <source>What others have read, copied or exported, and private copies of those who leave. Threads and messages can be erased for everyone later, on the server and on each computer when it syncs; backups keep them until they are replaced. Stopping to share removes nothing from the server unless you choose to erase the project.</source>
        <translation>ما قرأه الآخرون أو نسخوه أو صدّروه، والنسخ الخاصة لمن يغادرون. يمكن محو المحادثات والرسائل عند الجميع لاحقًا، على الخادم وعلى كل حاسوب عند مزامنته؛ وتبقى في النسخ الاحتياطية إلى أن تُستبدل. وإيقاف المشاركة لا يزيل شيئًا من الخادم ما لم تختر محو المشروع.</translation>
    </message>
    <message>
        <source>This version of ChatDesk brings a newer form of the team&apos;s database. Everyone can go on working with the present one until you upgrade it: &apos;chatdesk team upgrade&apos;.</source>
        <translation>يأتي هذا الإصدار من ChatDesk بصيغة أحدث لقاعدة بيانات الفريق. يمكن للجميع مواصلة العمل بالحالية إلى أن ترقّيها: «chatdesk team upgrade».</translation>
    </message>
    <message>
        <source>Anyone who administers the database can read all that is shared, whatever roles people have.</source>
        <translation>يمكن لمن يدير قاعدة البيانات قراءة كل المشترك، أيًا كانت أدوار الأشخاص.</translation>
    </message>
    <message>
        <source>Shared with you again; choose Share… to send this copy</source>
        <translation>تجري مشاركته معك من جديد؛ اختر «مشاركة…» لإرسال هذه النسخة</translation>
    </message>
    <message>
        <source>being sent</source>
        <translation>قيد الإرسال</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes refused</source>
        <comment>{count} change refused</comment>
        <translation>
            <numerusform>لا تغييرات مرفوضة</numerusform>
            <numerusform>تغيير واحد مرفوض</numerusform>
            <numerusform>تغييران مرفوضان</numerusform>
            <numerusform>{count} تغييرات مرفوضة</numerusform>
            <numerusform>{count} تغييرًا مرفوضًا</numerusform>
            <numerusform>{count} تغيير مرفوض</numerusform>
        </translation>
    </message>
    <message>
        <source>not in sync: what the server has does not fit</source>
        <translation>غير متزامن: ما لدى الخادم لا يوافق</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments ({size})</source>
        <comment>{count} attachment ({size})</comment>
        <translation>
            <numerusform>لا مرفقات ({size})</numerusform>
            <numerusform>مرفق واحد ({size})</numerusform>
            <numerusform>مرفقان ({size})</numerusform>
            <numerusform>{count} مرفقات ({size})</numerusform>
            <numerusform>{count} مرفقًا ({size})</numerusform>
            <numerusform>{count} مرفق ({size})</numerusform>
        </translation>
    </message>
    <message>
        <source>{parts} are sent now; what is written later is sent by itself.</source>
        <translation>يُرسَل الآن: {parts}. وما يُكتب لاحقًا يُرسَل تلقائيًا.</translation>
    </message>
    <message>
        <source>Removed; what they wrote stays</source>
        <translation>أُزيل؛ ويبقى ما كتبه</translation>
    </message>
    <message>
        <source>you</source>
        <comment>beside a name</comment>
        <translation>أنت</translation>
    </message>
    <message numerus="yes">
        <source>{count} connections of {name} were ended. The server dropped what was unfinished; their computer sends it again.</source>
        <comment>{count} connection of {name} was ended. The server dropped what was unfinished; their computer sends it again.</comment>
        <translation>
            <numerusform>لم يُنهَ أي اتصال لـ{name}.</numerusform>
            <numerusform>أُنهي اتصال واحد لـ{name}. تخلّى الخادم عمّا لم يكتمل، ويعيد حاسوب العضو إرساله.</numerusform>
            <numerusform>أُنهي اتصالان لـ{name}. تخلّى الخادم عمّا لم يكتمل، ويعيد حاسوب العضو إرساله.</numerusform>
            <numerusform>أُنهيت {count} اتصالات لـ{name}. تخلّى الخادم عمّا لم يكتمل، ويعيد حاسوب العضو إرساله.</numerusform>
            <numerusform>أُنهي {count} اتصالًا لـ{name}. تخلّى الخادم عمّا لم يكتمل، ويعيد حاسوب العضو إرساله.</numerusform>
            <numerusform>أُنهي {count} اتصال لـ{name}. تخلّى الخادم عمّا لم يكتمل، ويعيد حاسوب العضو إرساله.</numerusform>
        </translation>
    </message>
    <message>
        <source>you</source>
        <translation>أنت</translation>
    </message>
    <message>
        <source>owner of the workspace</source>
        <translation>مالك مساحة العمل</translation>
    </message>
    <message>
        <source>invited, has not joined yet</source>
        <translation>مدعوّ، لم ينضم بعد</translation>
    </message>
    <message>
        <source>invited on {day}, has not joined yet</source>
        <translation>دُعي يوم {day}، لم ينضم بعد</translation>
    </message>
    <message>
        <source>in no project of yours</source>
        <translation>ليس في أي من مشاريعك</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>هذا الحاسوب</translation>
    </message>
    <message>
        <source>never connected</source>
        <translation>لم يتصل قط</translation>
    </message>
    <message>
        <source>connected now</source>
        <translation>متصل الآن</translation>
    </message>
    <message>
        <source>last connected {moment}</source>
        <translation>آخر اتصال: {moment}</translation>
    </message>
    <message>
        <source>Nothing was new.</source>
        <translation>لا جديد.</translation>
    </message>
    <message>
        <source>{sent} sent, {received} received.</source>
        <translation>أُرسل {sent}، واستُلم {received}.</translation>
    </message>
    <message>
        <source>{database} on {host}</source>
        <translation>{database} على {host}</translation>
    </message>
    <message numerus="yes">
        <source>{count} people {name} invited were removed.</source>
        <comment>{count} person {name} invited was removed.</comment>
        <translation>
            <numerusform>لم يُزل أحد ممن دعاهم {name}.</numerusform>
            <numerusform>أُزيل شخص واحد ممن دعاهم {name}.</numerusform>
            <numerusform>أُزيل شخصان ممن دعاهم {name}.</numerusform>
            <numerusform>أُزيل {count} أشخاص ممن دعاهم {name}.</numerusform>
            <numerusform>أُزيل {count} شخصًا ممن دعاهم {name}.</numerusform>
            <numerusform>أُزيل {count} شخص ممن دعاهم {name}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Everything in it stays on this computer as a private copy.</source>
        <translation>يبقى كل ما فيه على هذا الحاسوب نسخة خاصة.</translation>
    </message>
    <message>
        <source>What you had not sent is in your own project.</source>
        <translation>ما لم ترسله موجود في مشروعك الخاص.</translation>
    </message>
    <message>
        <source>shared, you can only read</source>
        <translation>مشترك، يمكنك القراءة فقط</translation>
    </message>
    <message>
        <source>shared</source>
        <translation>مشترك</translation>
    </message>
    <message>
        <source>shared, you manage it</source>
        <translation>مشترك، تديره أنت</translation>
    </message>
    <message>
        <source>shared by you</source>
        <translation>مشترك منك</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes in this thread were not taken by the team&apos;s server, so only you see them. Press the line below the threads to read why, to copy them out or to try again.</source>
        <comment>{count} change in this thread was not taken by the team&apos;s server, so only you see it. Press the line below the threads to read why, to copy it out or to try again.</comment>
        <translation>
            <numerusform>قبل خادم الفريق كل تغييرات هذه المحادثة.</numerusform>
            <numerusform>تغيير واحد في هذه المحادثة لم يقبله خادم الفريق، فلا يراه سواك. اضغط السطر أسفل المحادثات لقراءة السبب أو لنسخه إلى الخارج أو لإعادة المحاولة.</numerusform>
            <numerusform>تغييران في هذه المحادثة لم يقبلهما خادم الفريق، فلا يراهما سواك. اضغط السطر أسفل المحادثات لقراءة السبب أو لنسخهما إلى الخارج أو لإعادة المحاولة.</numerusform>
            <numerusform>{count} تغييرات في هذه المحادثة لم يقبلها خادم الفريق، فلا يراها سواك. اضغط السطر أسفل المحادثات لقراءة السبب أو لنسخها إلى الخارج أو لإعادة المحاولة.</numerusform>
            <numerusform>{count} تغييرًا في هذه المحادثة لم يقبلها خادم الفريق، فلا يراها سواك. اضغط السطر أسفل المحادثات لقراءة السبب أو لنسخها إلى الخارج أو لإعادة المحاولة.</numerusform>
            <numerusform>{count} تغيير في هذه المحادثة لم يقبلها خادم الفريق، فلا يراها سواك. اضغط السطر أسفل المحادثات لقراءة السبب أو لنسخها إلى الخارج أو لإعادة المحاولة.</numerusform>
        </translation>
    </message>
    <message>
        <source>“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose Share… in its menu, and that goes up too.</source>
        <translation>«{name}» مفتوح لك من جديد. لم يُرسَل منه شيء، لأنك كتبت في نسختك في هذه الأثناء: اختر مشاركة… في قائمته، فيُرفع ذلك أيضًا.</translation>
    </message>
    <message>
        <source>You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and what you write there now waits here. To come back, ask its owner for a new invitation.</source>
        <translation>لم تعد عضوًا في «{workspace}». تبقى مشاريعها على هذا الحاسوب بكل ما فيها، وما تكتبه هناك الآن ينتظر هنا. وللعودة، اطلب من مالكها دعوة جديدة.</translation>
    </message>
    <message>
        <source>“{workspace}”: {problem} {next_step} Nothing that you write is lost meanwhile.</source>
        <translation>«{workspace}»: {problem} {next_step} لا يضيع شيء مما تكتبه في هذه الأثناء.</translation>
    </message>
    <message>
        <source>You can read this project; ask {name} to let you write.</source>
        <translation>يمكنك قراءة هذا المشروع؛ اطلب من {name} أن يسمح لك بالكتابة.</translation>
    </message>
    <message>
        <source>You can read this project; ask its owner to let you write.</source>
        <translation>يمكنك قراءة هذا المشروع؛ اطلب من مالكه أن يسمح لك بالكتابة.</translation>
    </message>
    <message>
        <source>Another member</source>
        <translation>عضو آخر</translation>
    </message>
    <message numerus="yes">
        <source>{first}, {second} and {count} others</source>
        <comment>{first}, {second} and {count} other</comment>
        <translation>
            <numerusform>{first} و{second}</numerusform>
            <numerusform>{first} و{second} وواحد آخر</numerusform>
            <numerusform>{first} و{second} واثنان آخران</numerusform>
            <numerusform>{first} و{second} و{count} آخرون</numerusform>
            <numerusform>{first} و{second} و{count} آخرون</numerusform>
            <numerusform>{first} و{second} و{count} آخرون</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{names} wrote {count} messages</source>
        <comment>{names} wrote a message</comment>
        <translation>
            <numerusform>كتب {names} لا رسائل</numerusform>
            <numerusform>كتب {names} رسالة</numerusform>
            <numerusform>كتب {names} رسالتين</numerusform>
            <numerusform>كتب {names} {count} رسائل</numerusform>
            <numerusform>كتب {names} {count} رسالة</numerusform>
            <numerusform>كتب {names} {count} رسالة</numerusform>
        </translation>
    </message>
    <message>
        <source>A project</source>
        <translation>مشروع</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written in the folder. What you write waits on this computer.</source>
        <translation>متوقف مؤقتًا: لا يُقرأ شيء من المجلّد ولا يُكتب فيه. وينتظر ما تكتبه على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>This profile was restored, or a copy of it is in use, so it does not exchange anything. All chats are kept. Join again with the recovery phrase, or forget the folder.</source>
        <translation>هذا الملف الشخصي مستعاد، أو توجد نسخة منه قيد الاستخدام، لذا لا يتبادل شيئًا. كل الدردشات محفوظة. انضم من جديد بعبارة الاسترداد، أو انسَ المجلّد.</translation>
    </message>
    <message>
        <source>Your chats are being written into the folder. Join it on your other computers.</source>
        <translation>تُكتب دردشاتك في المجلّد. انضم إليه على حواسيبك الأخرى.</translation>
    </message>
    <message>
        <source>This computer has joined. What the others have comes in now.</source>
        <translation>انضم هذا الحاسوب. ويصل الآن ما لدى الحواسيب الأخرى.</translation>
    </message>
    <message>
        <source>Syncing.</source>
        <translation>جارية المزامنة.</translation>
    </message>
    <message>
        <source>Not everything is in the folder yet.</source>
        <translation>ليس كل شيء في المجلّد بعد.</translation>
    </message>
    <message>
        <source>All chats stay here. The folder stays as it is, for your other computers; nobody can read it without the phrase, with which you can join again.</source>
        <translation>تبقى كل الدردشات هنا. ويبقى المجلّد كما هو لحواسيبك الأخرى؛ ولا يمكن لأحد قراءته من دون العبارة، وبها يمكنك الانضمام من جديد.</translation>
    </message>
    <message>
        <source>Forget the folder?</source>
        <translation>هل تريد نسيان المجلّد؟</translation>
    </message>
    <message>
        <source>Forget it</source>
        <translation>نسيان</translation>
    </message>
    <message>
        <source>This computer has left {folder}. All chats are kept.</source>
        <translation>غادر هذا الحاسوب {folder}. كل الدردشات محفوظة.</translation>
    </message>
    <message>
        <source>Its chats and those of this computer are merged when you join; nothing is lost.</source>
        <translation>تُدمج دردشاته ودردشات هذا الحاسوب عند انضمامك؛ ولا يضيع شيء.</translation>
    </message>
    <message>
        <source>The phrase is still shown here.</source>
        <translation>ما زالت العبارة معروضة هنا.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the phrase.</source>
        <translation>اختر مجلّدًا آخر، أو انسخ العبارة.</translation>
    </message>
    <message>
        <source>Saved as {name}. Print it, or keep it where only you can read it.</source>
        <translation>حُفظت باسم {name}. اطبعها، أو احفظها حيث لا يقرؤها سواك.</translation>
    </message>
    <message>
        <source>Go on without them</source>
        <translation>المتابعة من دونها</translation>
    </message>
    <message numerus="yes">
        <source>The text of {count} changes is in the clipboard.</source>
        <comment>The text of {count} change is in the clipboard.</comment>
        <translation>
            <numerusform>لا نص في الحافظة.</numerusform>
            <numerusform>نص تغيير واحد في الحافظة.</numerusform>
            <numerusform>نص تغييرين في الحافظة.</numerusform>
            <numerusform>نص {count} تغييرات في الحافظة.</numerusform>
            <numerusform>نص {count} تغييرًا في الحافظة.</numerusform>
            <numerusform>نص {count} تغيير في الحافظة.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Forget {count} refused changes?</source>
        <comment>Forget {count} refused change?</comment>
        <translation>
            <numerusform>لا تغييرات مرفوضة لنسيانها. هل تتابع؟</numerusform>
            <numerusform>هل تريد نسيان تغيير مرفوض واحد؟</numerusform>
            <numerusform>هل تريد نسيان تغييرين مرفوضين؟</numerusform>
            <numerusform>هل تريد نسيان {count} تغييرات مرفوضة؟</numerusform>
            <numerusform>هل تريد نسيان {count} تغييرًا مرفوضًا؟</numerusform>
            <numerusform>هل تريد نسيان {count} تغيير مرفوض؟</numerusform>
        </translation>
    </message>
    <message>
        <source>What the server refused is no longer shown and cannot be sent again. Copy the text first if you need it.</source>
        <translation>ما رفضه الخادم لا يُعرض بعد الآن ولا يمكن إرساله من جديد. انسخ النص أولًا إن احتجت إليه.</translation>
    </message>
    <message>
        <source>Sync is off</source>
        <translation>المزامنة متوقفة</translation>
    </message>
    <message>
        <source>Sync is off.</source>
        <translation>المزامنة متوقفة.</translation>
    </message>
    <message>
        <source>Synced</source>
        <translation>تمت المزامنة</translation>
    </message>
    <message>
        <source>Synced.</source>
        <translation>تمت المزامنة.</translation>
    </message>
    <message>
        <source>Syncing…</source>
        <translation>جارية المزامنة…</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>جارٍ الاتصال…</translation>
    </message>
    <message>
        <source>Connecting.</source>
        <translation>جارٍ الاتصال.</translation>
    </message>
    <message>
        <source>Offline echo</source>
        <translation>الصدى دون اتصال</translation>
    </message>
    <message>
        <source>the offline model</source>
        <translation>النموذج دون اتصال</translation>
    </message>
    <message>
        <source>The offline model</source>
        <translation>النموذج دون اتصال</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>دون اتصال</translation>
    </message>
    <message>
        <source>The offline model pretends to be busy.</source>
        <translation>يتظاهر النموذج دون اتصال بأنه مشغول.</translation>
    </message>
    <message>
        <source>Offline: the team&apos;s database cannot be reached.</source>
        <translation>دون اتصال: يتعذّر الوصول إلى قاعدة بيانات الفريق.</translation>
    </message>
    <message>
        <source>Update ChatDesk to send</source>
        <translation>حدّث ChatDesk للإرسال</translation>
    </message>
    <message>
        <source>This ChatDesk is too old to send changes; it still receives those of others.</source>
        <translation>ChatDesk هذا أقدم من أن يرسل تغييرات؛ وما زال يستلم تغييرات الآخرين.</translation>
    </message>
    <message>
        <source>Refused by the team&apos;s server</source>
        <translation>رفضه خادم الفريق</translation>
    </message>
    <message>
        <source>The team&apos;s database did not let this computer in.</source>
        <translation>لم تسمح قاعدة بيانات الفريق لهذا الحاسوب بالدخول.</translation>
    </message>
    <message>
        <source>Synced at {moment}.</source>
        <translation>تمت المزامنة {moment}.</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}.</source>
        <translation>تجري مزامنة {done} من {total}.</translation>
    </message>
    <message>
        <source>Synced last at {moment}.</source>
        <translation>آخر مزامنة {moment}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes were refused.</source>
        <comment>{count} change was refused.</comment>
        <translation>
            <numerusform>لم تُرفض أي تغييرات.</numerusform>
            <numerusform>رُفض تغيير واحد.</numerusform>
            <numerusform>رُفض تغييران.</numerusform>
            <numerusform>رُفضت {count} تغييرات.</numerusform>
            <numerusform>رُفض {count} تغييرًا.</numerusform>
            <numerusform>رُفض {count} تغيير.</numerusform>
        </translation>
    </message>
    <message>
        <source>The next try is at {moment}.</source>
        <translation>المحاولة التالية {moment}.</translation>
    </message>
    <message>
        <source>never</source>
        <translation>أبدًا</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}</source>
        <translation>تجري مزامنة {done} من {total}</translation>
    </message>
    <message>
        <source>Synced {time}</source>
        <translation>تمت المزامنة {time}</translation>
    </message>
    <message>
        <source>Refused: {problem}</source>
        <translation>مرفوض: {problem}</translation>
    </message>
    <message numerus="yes">
        <source>Sending {count} changes</source>
        <comment>Sending {count} change</comment>
        <translation>
            <numerusform>لا تغييرات لإرسالها</numerusform>
            <numerusform>يجري إرسال تغيير واحد</numerusform>
            <numerusform>يجري إرسال تغييرين</numerusform>
            <numerusform>يجري إرسال {count} تغييرات</numerusform>
            <numerusform>يجري إرسال {count} تغييرًا</numerusform>
            <numerusform>يجري إرسال {count} تغيير</numerusform>
        </translation>
    </message>
    <message>
        <source>{words}.</source>
        <translation>{words}.</translation>
    </message>
    <message>
        <source>Change how the project is shared…</source>
        <translation>تغيير مشاركة المشروع…</translation>
    </message>
    <message>
        <source>Share project…</source>
        <translation>مشاركة المشروع…</translation>
    </message>
    <message>
        <source>The others see you as {name} from the next sync on.</source>
        <translation>يراك الآخرون باسم {name} من المزامنة التالية فصاعدًا.</translation>
    </message>
    <message>
        <source>{name} was removed, and can no longer log in.</source>
        <translation>أُزيل {name}، ولم يعد يستطيع تسجيل الدخول.</translation>
    </message>
    <message>
        <source>Remove {name} from the workspace?</source>
        <translation>هل تريد إزالة {name} من مساحة العمل؟</translation>
    </message>
    <message>
        <source>Removing the member…</source>
        <translation>تجري إزالة العضو…</translation>
    </message>
    <message>
        <source>Remove the people {name} invited?</source>
        <translation>هل تريد إزالة من دعاهم {name}؟</translation>
    </message>
    <message>
        <source>Remove them</source>
        <translation>إزالتهم</translation>
    </message>
    <message>
        <source>This computer has a new password. Add your other computers again.</source>
        <translation>لهذا الحاسوب كلمة مرور جديدة. أضف حواسيبك الأخرى من جديد.</translation>
    </message>
    <message>
        <source>Make a new password?</source>
        <translation>هل تريد إنشاء كلمة مرور جديدة؟</translation>
    </message>
    <message>
        <source>New password</source>
        <translation>كلمة مرور جديدة</translation>
    </message>
    <message>
        <source>Changing the password…</source>
        <translation>يجري تغيير كلمة المرور…</translation>
    </message>
    <message>
        <source>Taking the computer off the list…</source>
        <translation>تجري إزالة الحاسوب من القائمة…</translation>
    </message>
    <message>
        <source>{name} is off the list.</source>
        <translation>أُزيل {name} من القائمة.</translation>
    </message>
    <message>
        <source>Take {name} off the list?</source>
        <translation>هل تريد إزالة {name} من القائمة؟</translation>
    </message>
    <message>
        <source>Take off</source>
        <translation>إزالة من القائمة</translation>
    </message>
    <message>
        <source>The workspace is called “{name}” now.</source>
        <translation>اسم مساحة العمل الآن «{name}».</translation>
    </message>
    <message>
        <source>You left “{name}”. Its projects are private copies now.</source>
        <translation>غادرت «{name}». ومشاريعها الآن نسخ خاصة.</translation>
    </message>
    <message>
        <source>You are in “{name}” again.</source>
        <translation>أنت في «{name}» من جديد.</translation>
    </message>
    <message>
        <source>You left the workspace. Its projects are private copies now.</source>
        <translation>غادرت مساحة العمل. مشاريعها الآن نسخ خاصة.</translation>
    </message>
    <message>
        <source>This computer is in no workspace.</source>
        <translation>هذا الحاسوب ليس في أي مساحة عمل.</translation>
    </message>
    <message>
        <source>Create or join one in Settings, Team sync.</source>
        <translation>أنشئ مساحة أو انضم إلى واحدة في الإعدادات، مزامنة الفريق.</translation>
    </message>
    <message>
        <source>The file could not be written: {why}.</source>
        <translation>تعذّرت كتابة الملف: {why}.</translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation>عملية غير مسموح بها</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>لا يوجد ملف أو مجلّد بهذا الاسم</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>خطأ في الإدخال أو الإخراج</translation>
    </message>
    <message>
        <source>Cannot allocate memory</source>
        <translation>لا تكفي الذاكرة</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>رُفض الوصول</translation>
    </message>
    <message>
        <source>Device or resource busy</source>
        <translation>الجهاز أو المورد مشغول</translation>
    </message>
    <message>
        <source>File exists</source>
        <translation>الملف موجود بالفعل</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>ليس مجلّدًا</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>إنه مجلّد</translation>
    </message>
    <message>
        <source>Invalid argument</source>
        <translation>معطى غير صالح</translation>
    </message>
    <message>
        <source>Too many open files</source>
        <translation>ملفات مفتوحة كثيرة</translation>
    </message>
    <message>
        <source>File too large</source>
        <translation>الملف كبير جدًّا</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>لم تبقَ مساحة على الجهاز</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>نظام الملفات للقراءة فقط</translation>
    </message>
    <message>
        <source>Broken pipe</source>
        <translation>انقطع الأنبوب</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>اسم الملف طويل جدًّا</translation>
    </message>
    <message>
        <source>Directory not empty</source>
        <translation>المجلّد ليس فارغًا</translation>
    </message>
    <message>
        <source>Too many levels of symbolic links</source>
        <translation>روابط رمزية متتالية كثيرة</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>تجاوز حصة القرص</translation>
    </message>
    <message>
        <source>Address already in use</source>
        <translation>العنوان مستخدم بالفعل</translation>
    </message>
    <message>
        <source>Cannot assign requested address</source>
        <translation>تعذّر تخصيص العنوان</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>لا يمكن الوصول إلى الشبكة</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>لا مسار إلى المضيف</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>رُفض الاتصال</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>قطع الطرف الآخر الاتصال</translation>
    </message>
    <message>
        <source>Connection timed out</source>
        <translation>انتهت مهلة الاتصال</translation>
    </message>
    <message>
        <source>the system refused</source>
        <translation>رفضه النظام</translation>
    </message>
    <message>
        <source>The code is still shown here.</source>
        <translation>ما زال الرمز ظاهرًا هنا.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the code.</source>
        <translation>اختر مجلّدًا آخر، أو انسخ الرمز.</translation>
    </message>
    <message>
        <source>The workspace “{name}” is ready.</source>
        <translation>مساحة العمل «{name}» جاهزة.</translation>
    </message>
    <message>
        <source>You are in “{name}”.</source>
        <translation>أنت في «{name}».</translation>
    </message>
    <message>
        <source>{name} cannot be read as an invitation.</source>
        <translation>لا تمكن قراءة {name} كدعوة.</translation>
    </message>
    <message>
        <source>Ask for the code as text.</source>
        <translation>اطلب الرمز نصًا.</translation>
    </message>
    <message>
        <source>You are in “{name}” as {member}. What is shared with you comes in now.</source>
        <translation>أنت في «{name}» باسم {member}. ويصل الآن ما هو مشترك معك.</translation>
    </message>
    <message>
        <source>Opening the file of keys…</source>
        <translation>يجري فتح ملف المفاتيح…</translation>
    </message>
    <message>
        <source>“{name}” and {more} more of “{workspace}” have arrived.</source>
        <translation>وصل «{name}» و{more} غيره من «{workspace}».</translation>
    </message>
    <message>
        <source>“{name}” of “{workspace}” has arrived.</source>
        <translation>وصل «{name}» من «{workspace}».</translation>
    </message>
    <message>
        <source>This computer now uses {address} for “{name}”.</source>
        <translation>يستخدم هذا الحاسوب الآن {address} لمساحة العمل «{name}».</translation>
    </message>
    <message>
        <source>To share a project, create a workspace or join one first.</source>
        <translation>لمشاركة مشروع، أنشئ مساحة عمل أو انضم إلى واحدة أولًا.</translation>
    </message>
    <message>
        <source>“{name}” is shared. The line below the threads shows how much has been sent.</source>
        <translation>تجري مشاركة «{name}». يبيّن السطر أسفل المحادثات مقدار ما أُرسل.</translation>
    </message>
    <message>
        <source>That project is no longer shared.</source>
        <translation>لم يعد ذلك المشروع مشتركًا.</translation>
    </message>
    <message>
        <source>“{name}” is a private project on this computer now.</source>
        <translation>«{name}» الآن مشروع خاص على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>Try again in a while.</source>
        <translation>أعد المحاولة بعد حين.</translation>
    </message>
    <message>
        <source>This is nested too deeply.</source>
        <translation>هذا متداخل أعمق مما ينبغي.</translation>
    </message>
    <message>
        <source>This is not valid JSON in line {number}.</source>
        <translation>ليس هذا JSON صالحًا في السطر {number}.</translation>
    </message>
    <message>
        <source>This is not valid JSON.</source>
        <translation>ليس هذا JSON صالحًا.</translation>
    </message>
    <message>
        <source>Arguments are a JSON object: { … }.</source>
        <translation>المعطيات كائن JSON: ‏{ … }.</translation>
    </message>
    <message>
        <source>1 of {count}</source>
        <translation>١ من {count}</translation>
    </message>
    <message>
        <source>Review proposed changes</source>
        <translation>مراجعة التغييرات المقترحة</translation>
    </message>
    <message>
        <source>Review the proposed change</source>
        <translation>مراجعة التغيير المقترح</translation>
    </message>
    <message>
        <source>File</source>
        <translation>الملف</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>رفض</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>تطبيق</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added, {removed} removed</source>
        <comment>{count} line added, {removed} removed</comment>
        <translation>
            <numerusform>لم تُضف أسطر، أُزيل {removed}</numerusform>
            <numerusform>أُضيف سطر واحد، أُزيل {removed}</numerusform>
            <numerusform>أُضيف سطران، أُزيل {removed}</numerusform>
            <numerusform>أُضيفت {count} أسطر، أُزيل {removed}</numerusform>
            <numerusform>أُضيف {count} سطرًا، أُزيل {removed}</numerusform>
            <numerusform>أُضيف {count} سطر، أُزيل {removed}</numerusform>
        </translation>
    </message>
    <message>
        <source>This text has characters that hide, so it is edited in an editor.</source>
        <translation>يحتوي هذا النص على محارف مخفية، لذا يُحرَّر في محرر نصوص.</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>الفرق</translation>
    </message>
    <message>
        <source>Applied: {path}</source>
        <translation>طُبّق: {path}</translation>
    </message>
    <message>
        <source>Rejected: {path}</source>
        <translation>رُفض: {path}</translation>
    </message>
    <message>
        <source>Undone: {path}</source>
        <translation>تُراجع عنه: {path}</translation>
    </message>
    <message>
        <source>change a file</source>
        <translation>تغيير ملف</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer.</source>
        <translation>لم يُقترح هذا التغيير على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>This change is not applied.</source>
        <translation>هذا التغيير غير مطبَّق.</translation>
    </message>
    <message>
        <source>This change is already applied.</source>
        <translation>هذا التغيير مطبَّق بالفعل.</translation>
    </message>
    <message>
        <source>This change was rejected.</source>
        <translation>رُفض هذا التغيير.</translation>
    </message>
    <message>
        <source>The file is no longer the one that this change was made from.</source>
        <translation>لم يعد الملف هو الذي أُعدّ منه هذا التغيير.</translation>
    </message>
    <message>
        <source>The file was changed after this change was applied.</source>
        <translation>تغيّر الملف بعد تطبيق هذا التغيير.</translation>
    </message>
    <message>
        <source>The project has no folder on this computer, or another one by now.</source>
        <translation>ليس للمشروع مجلّد على هذا الحاسوب، أو صار له مجلّد آخر.</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer, or too long ago.</source>
        <translation>لم يُقترح هذا التغيير على هذا الحاسوب، أو مضى عليه وقت طويل.</translation>
    </message>
    <message>
        <source>Name a file.</source>
        <translation>حدّد ملفًا.</translation>
    </message>
    <message>
        <source>This change is too large to review, or has lines that are too long.</source>
        <translation>هذا التغيير أكبر من أن يُراجَع، أو فيه أسطر طويلة جدًا.</translation>
    </message>
    <message>
        <source>Propose it in smaller steps.</source>
        <translation>اقترحه على خطوات أصغر.</translation>
    </message>
    <message>
        <source>The change could not be kept: {reason}.</source>
        <translation>تعذّر حفظ التغيير: {reason}.</translation>
    </message>
    <message>
        <source>No file was changed.</source>
        <translation>لم يتغيّر أي ملف.</translation>
    </message>
    <message>
        <source>The file has this text already.</source>
        <translation>يحتوي الملف على هذا النص من قبل.</translation>
    </message>
    <message>
        <source>The files that are kept of this change cannot be read or written.</source>
        <translation>تتعذّر قراءة الملفات المحفوظة من هذا التغيير أو كتابتها.</translation>
    </message>
    <message>
        <source>Ask the model to propose it again.</source>
        <translation>اطلب من النموذج أن يقترحه من جديد.</translation>
    </message>
    <message>
        <source>Ask the model to propose it here.</source>
        <translation>اطلب من النموذج أن يقترحه هنا.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers</source>
        <comment>{count} tool server</comment>
        <translation>
            <numerusform>لا خوادم أدوات</numerusform>
            <numerusform>خادم أدوات واحد</numerusform>
            <numerusform>خادما أدوات</numerusform>
            <numerusform>{count} خوادم أدوات</numerusform>
            <numerusform>{count} خادم أدوات</numerusform>
            <numerusform>{count} خادم أدوات</numerusform>
        </translation>
    </message>
    <message>
        <source>Tools in this thread: {names}</source>
        <translation>الأدوات في هذه المحادثة: {names}</translation>
    </message>
    <message>
        <source>Folder: {folder}</source>
        <translation>المجلّد: {folder}</translation>
    </message>
    <message>
        <source>As in the project</source>
        <translation>كما في المشروع</translation>
    </message>
    <message>
        <source>Use these in the whole project</source>
        <translation>استخدام هذه في المشروع كله</translation>
    </message>
    <message>
        <source>Tool servers…</source>
        <translation>خوادم الأدوات…</translation>
    </message>
    <message>
        <source>{name} of {server} waits for your approval: Ctrl+Shift+Y.</source>
        <translation>{name} من {server} ينتظر موافقتك: Ctrl+Shift+Y.</translation>
    </message>
    <message>
        <source>{name} waits for your approval in another thread.</source>
        <translation>{name} ينتظر موافقتك في محادثة أخرى.</translation>
    </message>
    <message>
        <source>Allow in this project</source>
        <translation>السماح في هذا المشروع</translation>
    </message>
    <message>
        <source>Always allow</source>
        <translation>السماح دائمًا</translation>
    </message>
    <message>
        <source>Allow in this thread</source>
        <translation>السماح في هذه المحادثة</translation>
    </message>
    <message>
        <source>Allow in this thread, it only reads</source>
        <translation>السماح في هذه المحادثة، فهو يقرأ فقط</translation>
    </message>
    <message>
        <source>Allow in this project, it only reads</source>
        <translation>السماح في هذا المشروع، فهو يقرأ فقط</translation>
    </message>
    <message>
        <source>Always allow, it only reads</source>
        <translation>السماح دائمًا، فهو يقرأ فقط</translation>
    </message>
    <message>
        <source>Deny</source>
        <translation>رفض</translation>
    </message>
    <message>
        <source>Allow once</source>
        <translation>السماح مرة واحدة</translation>
    </message>
    <message>
        <source>Allow for longer…</source>
        <translation>السماح لمدة أطول…</translation>
    </message>
    <message>
        <source>You say that it changes and sends nothing, so it also runs after text from outside.</source>
        <translation>تقول إنه لا يغيّر شيئًا ولا يرسل شيئًا، لذا يعمل أيضًا بعد نص من الخارج.</translation>
    </message>
    <message>
        <source>Run “{name}” of {server}?</source>
        <translation>هل تريد تشغيل «{name}» من {server}؟</translation>
    </message>
    <message>
        <source>{what}?</source>
        <translation>{what}؟</translation>
    </message>
    <message>
        <source>Arguments of {name}</source>
        <translation>معطيات {name}</translation>
    </message>
    <message numerus="yes">
        <source>{count} more characters are not shown, but would be sent.</source>
        <comment>{count} more character is not shown, but would be sent.</comment>
        <translation>
            <numerusform>لا حروف مخفية.</numerusform>
            <numerusform>حرف واحد آخر غير معروض، لكنه سيُرسَل.</numerusform>
            <numerusform>حرفان آخران غير معروضين، لكنهما سيُرسَلان.</numerusform>
            <numerusform>{count} حروف أخرى غير معروضة، لكنها ستُرسَل.</numerusform>
            <numerusform>{count} حرفًا آخر غير معروضة، لكنها ستُرسَل.</numerusform>
            <numerusform>{count} حرف آخر غير معروضة، لكنها ستُرسَل.</numerusform>
        </translation>
    </message>
    <message>
        <source>Deny: {name} of {server}</source>
        <translation>رفض: {name} من {server}</translation>
    </message>
    <message>
        <source>Allow once: {name} of {server}</source>
        <translation>السماح مرة واحدة: {name} من {server}</translation>
    </message>
    <message>
        <source>ChatDesk runs this itself. What it finds goes to the model that answers.</source>
        <translation>يشغّل ChatDesk هذا بنفسه. وما يجده يذهب إلى النموذج الذي يجيب.</translation>
    </message>
    <message>
        <source>These arguments are sent to {where}</source>
        <translation>تُرسَل هذه المعطيات إلى {where}</translation>
    </message>
    <message>
        <source>These arguments are given to a program on this computer: {where}</source>
        <translation>تُعطى هذه المعطيات لبرنامج على هذا الحاسوب: {where}</translation>
    </message>
    <message>
        <source>{server} asks you for something: Ctrl+Shift+Y.</source>
        <translation>{server} يطلب منك شيئًا: Ctrl+Shift+Y.</translation>
    </message>
    <message>
        <source>{server} asks you for something in another thread.</source>
        <translation>{server} يطلب منك شيئًا في محادثة أخرى.</translation>
    </message>
    <message>
        <source>User</source>
        <comment>role</comment>
        <translation>المستخدم</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>امتناع</translation>
    </message>
    <message>
        <source>{server} asks you for something</source>
        <translation>{server} يطلب منك شيئًا</translation>
    </message>
    <message>
        <source>{server} wants you to open a page</source>
        <translation>{server} يريد منك فتح صفحة</translation>
    </message>
    <message>
        <source>Open in browser</source>
        <translation>فتح في المتصفّح</translation>
    </message>
    <message>
        <source>{server} wants to ask {model}</source>
        <translation>{server} يريد أن يسأل {model}</translation>
    </message>
    <message>
        <source>The whole question</source>
        <translation>السؤال كاملًا</translation>
    </message>
    <message numerus="yes">
        <source>{names} look like secrets. {server} gets what you enter, as you enter it.</source>
        <comment>{names} looks like a secret. {server} gets what you enter, as you enter it.</comment>
        <translation>
            <numerusform>لا شيء يبدو سرًا ({names}). يحصل {server} على ما تدخله كما تدخله.</numerusform>
            <numerusform>{names} يبدو سرًا. يحصل {server} على ما تدخله كما تدخله.</numerusform>
            <numerusform>{names} يبدوان سرّين. يحصل {server} على ما تدخله كما تدخله.</numerusform>
            <numerusform>{names} تبدو أسرارًا. يحصل {server} على ما تدخله كما تدخله.</numerusform>
            <numerusform>{names} تبدو أسرارًا. يحصل {server} على ما تدخله كما تدخله.</numerusform>
            <numerusform>{names} تبدو أسرارًا. يحصل {server} على ما تدخله كما تدخله.</numerusform>
        </translation>
    </message>
    <message>
        <source>The server asks while “{tool}” runs.</source>
        <translation>يطلب الخادم ذلك أثناء عمل «{tool}».</translation>
    </message>
    <message>
        <source>The server chose this page: check the address before you enter anything there.</source>
        <translation>اختار الخادم هذه الصفحة: تحقّق من العنوان قبل أن تدخل شيئًا فيها.</translation>
    </message>
    <message numerus="yes">
        <source>This costs you at most {count} tokens and counts towards your limits.</source>
        <comment>This costs you at most {count} token and counts towards your limits.</comment>
        <translation>
            <numerusform>لا يكلّفك هذا رموزًا.</numerusform>
            <numerusform>يكلّفك هذا رمزًا واحدًا على الأكثر ويُحسب من حدودك.</numerusform>
            <numerusform>يكلّفك هذا رمزين على الأكثر ويُحسب من حدودك.</numerusform>
            <numerusform>يكلّفك هذا {count} رموز على الأكثر ويُحسب من حدودك.</numerusform>
            <numerusform>يكلّفك هذا {count} رمزًا على الأكثر ويُحسب من حدودك.</numerusform>
            <numerusform>يكلّفك هذا {count} رمز على الأكثر ويُحسب من حدودك.</numerusform>
        </translation>
    </message>
    <message>
        <source>The answer is sent to {where}</source>
        <translation>تُرسَل الإجابة إلى {where}</translation>
    </message>
    <message>
        <source>The answer is given to a program on this computer: {where}</source>
        <translation>تُعطى الإجابة لبرنامج على هذا الحاسوب: {where}</translation>
    </message>
    <message>
        <source>What you enter is sent to {where}</source>
        <translation>ما تدخله يُرسَل إلى {where}</translation>
    </message>
    <message>
        <source>What you enter is given to a program on this computer: {where}</source>
        <translation>ما تدخله يُعطى لبرنامج على هذا الحاسوب: {where}</translation>
    </message>
    <message>
        <source>None: models only read pages</source>
        <translation>بلا محرّك: النماذج تقرأ الصفحات فقط</translation>
    </message>
    <message>
        <source>A server that asks other search engines: yours, or one whose owner lets programs search.</source>
        <translation>خادم يسأل محرّكات بحث أخرى: خادمك، أو خادم يسمح مالكه للبرامج بالبحث.</translation>
    </message>
    <message>
        <source>A service. What is searched for goes there, with your key.</source>
        <translation>خدمة. ما يُبحث عنه يذهب إليها، مع مفتاحك.</translation>
    </message>
    <message>
        <source>Web search</source>
        <translation>البحث في الويب</translation>
    </message>
    <message>
        <source>Search engine</source>
        <translation>محرّك البحث</translation>
    </message>
    <message>
        <source>Address of SearXNG</source>
        <translation>عنوان SearXNG</translation>
    </message>
    <message>
        <source>{address} or {other}</source>
        <translation>{address} أو {other}</translation>
    </message>
    <message>
        <source>Test the search engine</source>
        <translation>اختبار محرّك البحث</translation>
    </message>
    <message>
        <source>A key is kept; type another to replace it</source>
        <translation>يوجد مفتاح محفوظ؛ اكتب غيره لاستبداله</translation>
    </message>
    <message>
        <source>A key is kept. Type another to replace it.</source>
        <translation>يوجد مفتاح محفوظ. اكتب غيره لاستبداله.</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>جارٍ الاختبار…</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>جارٍ الحفظ…</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. No search engine is chosen: models can only read pages.</source>
        <translation>يأتي مع ChatDesk. لم يُختر محرّك بحث: لا يمكن للنماذج إلا قراءة الصفحات.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine} at {host}.</source>
        <translation>يأتي مع ChatDesk. يبحث بـ {engine} على {host}.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine}.</source>
        <translation>يأتي مع ChatDesk. يبحث بـ {engine}.</translation>
    </message>
    <message>
        <source>The program gets only these variables, the PATH and the places of your files. Secrets are kept with your keys.</source>
        <translation>لا يحصل البرنامج إلا على هذه المتغيّرات وPATH وأماكن ملفاتك. وتُحفظ الأسرار مع مفاتيحك.</translation>
    </message>
    <message>
        <source>Add a tool server</source>
        <translation>إضافة خادم أدوات</translation>
    </message>
    <message>
        <source>Edit the tool server</source>
        <translation>تحرير خادم الأدوات</translation>
    </message>
    <message>
        <source>For example: Notes</source>
        <translation>مثلًا: ملاحظات</translation>
    </message>
    <message>
        <source>Command or address</source>
        <translation>أمر أو عنوان</translation>
    </message>
    <message>
        <source>Variables or headers</source>
        <translation>المتغيّرات أو الترويسات</translation>
    </message>
    <message>
        <source>Folder it runs in</source>
        <translation>المجلّد الذي يعمل فيه</translation>
    </message>
    <message>
        <source>An empty folder of its own</source>
        <translation>مجلّد فارغ خاص به</translation>
    </message>
    <message>
        <source>Client ID</source>
        <translation>معرّف العميل</translation>
    </message>
    <message>
        <source>Empty: ChatDesk registers itself</source>
        <translation>فارغ: يسجّل ChatDesk نفسه</translation>
    </message>
    <message>
        <source>Client secret</source>
        <translation>سرّ العميل</translation>
    </message>
    <message>
        <source>Empty: none</source>
        <translation>فارغ: بلا سرّ</translation>
    </message>
    <message>
        <source>Unchanged</source>
        <translation>بلا تغيير</translation>
    </message>
    <message>
        <source>You can also paste the JSON of Claude Desktop, Cursor, VS Code or LM Studio here.</source>
        <translation>يمكنك أيضًا لصق JSON من Claude Desktop أو Cursor أو VS Code أو LM Studio هنا.</translation>
    </message>
    <message>
        <source>Variables, or headers of an address, a line each</source>
        <translation>المتغيّرات، أو ترويسات عنوان، في كل سطر واحد</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>المجلّد</translation>
    </message>
    <message>
        <source>File of the project</source>
        <translation>ملف من المشروع</translation>
    </message>
    <message>
        <source>Client ID, if you registered one to sign in with</source>
        <translation>معرّف العميل، إن سجّلت واحدًا لتسجيل الدخول به</translation>
    </message>
    <message>
        <source>Filled in from the description of “{name}”.</source>
        <translation>مُلئ من وصف «{name}».</translation>
    </message>
    <message>
        <source>Still to be filled in: {missing}.</source>
        <translation>ما زال يجب ملء: {missing}.</translation>
    </message>
    <message numerus="yes">
        <source>Once it is saved, {count} more servers follow.</source>
        <comment>Once it is saved, {count} more server follows.</comment>
        <translation>
            <numerusform>لن يلي حفظَه أي خادم آخر.</numerusform>
            <numerusform>بعد حفظه يليه خادم واحد آخر.</numerusform>
            <numerusform>بعد حفظه يليه خادمان آخران.</numerusform>
            <numerusform>بعد حفظه تليه {count} خوادم أخرى.</numerusform>
            <numerusform>بعد حفظه يليه {count} خادمًا آخر.</numerusform>
            <numerusform>بعد حفظه يليه {count} خادم آخر.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give it a name.</source>
        <translation>أعطه اسمًا.</translation>
    </message>
    <message>
        <source>Enter the command that starts it, or its address.</source>
        <translation>أدخل الأمر الذي يشغّله، أو عنوانه.</translation>
    </message>
    <message>
        <source>A quotation mark of the command is not closed.</source>
        <translation>علامة اقتباس في الأمر غير مغلقة.</translation>
    </message>
    <message>
        <source>Write each line as NAME=value, not “{line}”.</source>
        <translation>اكتب كل سطر بصيغة NAME=value، لا «{line}».</translation>
    </message>
    <message>
        <source>{name} asks you to sign in: Ctrl+Shift+Y.</source>
        <translation>{name} يطلب منك تسجيل الدخول: Ctrl+Shift+Y.</translation>
    </message>
    <message>
        <source>Asking where to sign in…</source>
        <translation>يجري السؤال عن مكان تسجيل الدخول…</translation>
    </message>
    <message>
        <source>Signed in. Ask again to use its tools.</source>
        <translation>تم تسجيل الدخول. اسأل من جديد لاستخدام أدواته.</translation>
    </message>
    <message>
        <source>Sign in…</source>
        <translation>تسجيل الدخول…</translation>
    </message>
    <message>
        <source>{name} asks you to sign in</source>
        <translation>{name} يطلب منك تسجيل الدخول</translation>
    </message>
    <message>
        <source>The tools of {address} are left out until you have signed in.</source>
        <translation>تُترك أدوات {address} إلى أن تسجّل الدخول.</translation>
    </message>
    <message>
        <source>Sign in at {host} in your browser, within five minutes.</source>
        <translation>سجّل الدخول لدى {host} في متصفّحك خلال خمس دقائق.</translation>
    </message>
    <message>
        <source>Signed out here. The server was not told, or cannot withdraw a sign-in: end it in your account there.</source>
        <translation>تم تسجيل الخروج هنا. لم يُبلَّغ الخادم، أو لا يمكنه سحب تسجيل دخول: أنهه في حسابك هناك.</translation>
    </message>
    <message>
        <source>Signing out…</source>
        <translation>جارٍ تسجيل الخروج…</translation>
    </message>
    <message>
        <source>It did not ask you to sign in.</source>
        <translation>لم يطلب منك تسجيل الدخول.</translation>
    </message>
    <message>
        <source>Remove {name}?</source>
        <translation>هل تريد إزالة {name}؟</translation>
    </message>
    <message>
        <source>Its tools are gone from all threads, with its secrets and what you allowed. Threads keep what it answered.</source>
        <translation>تزول أدواته من كل المحادثات، مع أسراره وما سمحت به. وتحتفظ المحادثات بما أجاب به.</translation>
    </message>
    <message>
        <source>What models can use to read files, search and act. Nothing runs before you allow it.</source>
        <translation>ما يمكن للنماذج استخدامه لقراءة الملفات والبحث والتصرّف. ولا يعمل شيء قبل أن تسمح به.</translation>
    </message>
    <message>
        <source>No other server is set up.</source>
        <translation>لم يُعدّ خادم آخر.</translation>
    </message>
    <message>
        <source>ChatDesk asks about every call.</source>
        <translation>يسأل ChatDesk عن كل استدعاء.</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>عُثر عليه</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>بدأ</translation>
    </message>
    <message>
        <source>Speaks the protocol</source>
        <translation>يدعم البروتوكول</translation>
    </message>
    <message>
        <source>Lists its tools</source>
        <translation>يسرد أدواته</translation>
    </message>
    <message>
        <source>in one project</source>
        <translation>في مشروع واحد</translation>
    </message>
    <message>
        <source>see and change what ChatDesk remembers</source>
        <translation>عرض ما يتذكّره ChatDesk وتغييره</translation>
    </message>
    <message>
        <source>list the facts that are remembered</source>
        <translation>سرد الحقائق المحفوظة</translation>
    </message>
    <message>
        <source>remember a fact</source>
        <translation>تذكُّر حقيقة</translation>
    </message>
    <message>
        <source>change the words of a memory</source>
        <translation>تغيير نص ذكرى</translation>
    </message>
    <message>
        <source>delete memories for good</source>
        <translation>حذف ذكريات نهائيًا</translation>
    </message>
    <message>
        <source>write all memories to a JSON file</source>
        <translation>كتابة كل الذكريات في ملف JSON</translation>
    </message>
    <message>
        <source>its id, as listed</source>
        <translation>معرّفها كما في القائمة</translation>
    </message>
    <message>
        <source>one sentence</source>
        <translation>جملة واحدة</translation>
    </message>
    <message>
        <source>only for this project, by its name or id</source>
        <translation>لهذا المشروع فقط، باسمه أو معرّفه</translation>
    </message>
    <message>
        <source>ids, as listed</source>
        <translation>معرّفات كما في القائمة</translation>
    </message>
    <message>
        <source>all memories</source>
        <translation>كل الذكريات</translation>
    </message>
    <message>
        <source>the file to write</source>
        <translation>الملف الذي يُكتب</translation>
    </message>
    <message>
        <source>Name the memories to delete, or --all.</source>
        <translation>اذكر الذكريات التي تريد حذفها، أو ‎--all.</translation>
    </message>
    <message>
        <source>Change the memories in its window, or close it first.</source>
        <translation>غيّر الذكريات في نافذتها، أو أغلقها أولًا.</translation>
    </message>
    <message>
        <source>everywhere</source>
        <translation>في كل مكان</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent.</source>
        <translation>الذاكرة معطّلة: لا يُحفظ شيء ولا يُرسَل.</translation>
    </message>
    <message>
        <source>This was remembered already.</source>
        <translation>هذه محفوظة من قبل.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories deleted</source>
        <comment>{count} memory deleted</comment>
        <translation>
            <numerusform>لم تُحذف أي ذكرى</numerusform>
            <numerusform>حُذفت ذكرى واحدة</numerusform>
            <numerusform>حُذفت ذكريان</numerusform>
            <numerusform>حُذفت {count} ذكريات</numerusform>
            <numerusform>حُذفت {count} ذكرى</numerusform>
            <numerusform>حُذفت {count} ذكرى</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} memories written</source>
        <comment>{count} memory written</comment>
        <translation>
            <numerusform>لم تُكتب أي ذكرى</numerusform>
            <numerusform>كُتبت ذكرى واحدة</numerusform>
            <numerusform>كُتبت ذكريان</numerusform>
            <numerusform>كُتبت {count} ذكريات</numerusform>
            <numerusform>كُتبت {count} ذكرى</numerusform>
            <numerusform>كُتبت {count} ذكرى</numerusform>
        </translation>
    </message>
    <message>
        <source>in one project, also after text from outside</source>
        <translation>في مشروع واحد، وأيضًا بعد نص من الخارج</translation>
    </message>
    <message>
        <source>everywhere, also after text from outside</source>
        <translation>في كل مكان، وأيضًا بعد نص من الخارج</translation>
    </message>
    <message>
        <source>Add server…</source>
        <translation>إضافة خادم…</translation>
    </message>
    <message>
        <source>Allowed without asking</source>
        <translation>مسموح به بلا سؤال</translation>
    </message>
    <message>
        <source>{tool} of {server}</source>
        <translation>{tool} من {server}</translation>
    </message>
    <message>
        <source>{scope} · since {when}</source>
        <translation>{scope} · منذ {when}</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>السؤال من جديد</translation>
    </message>
    <message>
        <source>Models can look things up in your earlier threads.</source>
        <translation>يمكن للنماذج البحث في محادثاتك السابقة.</translation>
    </message>
    <message>
        <source>Ask again about {title}</source>
        <translation>السؤال من جديد عن {title}</translation>
    </message>
    <message>
        <source>Search engine…</source>
        <translation>محرّك البحث…</translation>
    </message>
    <message>
        <source>It wrote: {tail}</source>
        <translation>كتب: {tail}</translation>
    </message>
    <message>
        <source>Models can read the files of a project&apos;s folder, and propose changes to them.</source>
        <translation>يمكن للنماذج قراءة ملفات مجلّد المشروع واقتراح تغييرات عليها.</translation>
    </message>
    <message>
        <source>in one thread</source>
        <translation>في محادثة واحدة</translation>
    </message>
    <message>
        <source>in one thread, also after text from outside</source>
        <translation>في محادثة واحدة، وأيضًا بعد نص من الخارج</translation>
    </message>
    <message>
        <source>May ask your model for an answer, if you agree each time</source>
        <translation>يجوز له طلب إجابة من نموذجك إن وافقت كل مرة</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>تسجيل الخروج</translation>
    </message>
    <message>
        <source>Sign out of {name}</source>
        <translation>تسجيل الخروج من {name}</translation>
    </message>
    <message>
        <source>Sign in to {name}</source>
        <translation>تسجيل الدخول إلى {name}</translation>
    </message>
    <message>
        <source>Test {name}</source>
        <translation>اختبار {name}</translation>
    </message>
    <message>
        <source>Edit {name}</source>
        <translation>تحرير {name}</translation>
    </message>
    <message>
        <source>Choose the search engine</source>
        <translation>اختيار محرّك البحث</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools</source>
        <comment>{count} tool</comment>
        <translation>
            <numerusform>لا أدوات</numerusform>
            <numerusform>أداة واحدة</numerusform>
            <numerusform>أداتان</numerusform>
            <numerusform>{count} أدوات</numerusform>
            <numerusform>{count} أداة</numerusform>
            <numerusform>{count} أداة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Running, {count} tools</source>
        <comment>Running, {count} tool</comment>
        <translation>
            <numerusform>يعمل، لا أدوات</numerusform>
            <numerusform>يعمل، أداة واحدة</numerusform>
            <numerusform>يعمل، أداتان</numerusform>
            <numerusform>يعمل، {count} أدوات</numerusform>
            <numerusform>يعمل، {count} أداة</numerusform>
            <numerusform>يعمل، {count} أداة</numerusform>
        </translation>
    </message>
    <message>
        <source>It failed.</source>
        <translation>فشل.</translation>
    </message>
    <message>
        <source>Starts when it is needed</source>
        <translation>يبدأ عند الحاجة إليه</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>Web page (*.html)</source>
        <translation>صفحة ويب (*.html)</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>ChatDesk&apos;s JSON with attachments (*.zip);;ChatDesk&apos;s JSON (*.json)</source>
        <translation>JSON من ChatDesk مع المرفقات (*.zip);;JSON من ChatDesk (*.json)</translation>
    </message>
    <message>
        <source>The project</source>
        <translation>المشروع</translation>
    </message>
    <message numerus="yes">
        <source>These {count} threads</source>
        <comment>This thread</comment>
        <translation>
            <numerusform>لا محادثات</numerusform>
            <numerusform>هذه المحادثة</numerusform>
            <numerusform>هاتان المحادثتان</numerusform>
            <numerusform>هذه المحادثات ({count})</numerusform>
            <numerusform>هذه المحادثات ({count})</numerusform>
            <numerusform>هذه المحادثات ({count})</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The thread has {count} messages, too many for the clipboard. Export it instead.</source>
        <comment>The thread has {count} message, too many for the clipboard. Export it instead.</comment>
        <translation>
            <numerusform>لا رسائل في المحادثة.</numerusform>
            <numerusform>في المحادثة رسالة واحدة أكبر من الحافظة. صدّرها بدلًا من ذلك.</numerusform>
            <numerusform>في المحادثة رسالتان أكبر من الحافظة. صدّرها بدلًا من ذلك.</numerusform>
            <numerusform>في المحادثة {count} رسائل، وهي كثيرة على الحافظة. صدّرها بدلًا من ذلك.</numerusform>
            <numerusform>في المحادثة {count} رسالة، وهي كثيرة على الحافظة. صدّرها بدلًا من ذلك.</numerusform>
            <numerusform>في المحادثة {count} رسالة، وهي كثيرة على الحافظة. صدّرها بدلًا من ذلك.</numerusform>
        </translation>
    </message>
    <message>
        <source>The thread is in the clipboard, as Markdown</source>
        <translation>المحادثة في الحافظة، بصيغة Markdown</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>تصدير</translation>
    </message>
    <message>
        <source>Folder to export into</source>
        <translation>المجلّد الذي يُصدَّر إليه</translation>
    </message>
    <message>
        <source>The export was cancelled; nothing was left behind.</source>
        <translation>أُلغي التصدير؛ ولم يبقَ شيء.</translation>
    </message>
    <message>
        <source>Exporting</source>
        <translation>جارٍ التصدير</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>جارٍ القراءة…</translation>
    </message>
    <message numerus="yes">
        <source>{done} of {count} messages</source>
        <comment>{done} of {count} message</comment>
        <translation>
            <numerusform>{done} من لا رسائل</numerusform>
            <numerusform>{done} من رسالة واحدة</numerusform>
            <numerusform>{done} من رسالتين</numerusform>
            <numerusform>{done} من {count} رسائل</numerusform>
            <numerusform>{done} من {count} رسالة</numerusform>
            <numerusform>{done} من {count} رسالة</numerusform>
        </translation>
    </message>
    <message>
        <source>For editors and notes. One file a thread, attachments in a folder beside it.</source>
        <translation>للمحرِّرات والملاحظات. ملف لكل محادثة، والمرفقات في مجلّد بجانبه.</translation>
    </message>
    <message>
        <source>Web page</source>
        <translation>صفحة ويب</translation>
    </message>
    <message>
        <source>One file with everything in it, to read and to print.</source>
        <translation>ملف واحد فيه كل شيء، للقراءة والطباعة.</translation>
    </message>
    <message>
        <source>For paper and for sending on.</source>
        <translation>للورق وللإرسال إلى آخرين.</translation>
    </message>
    <message>
        <source>JSON with attachments (zip)</source>
        <translation>JSON مع المرفقات (zip)</translation>
    </message>
    <message>
        <source>Everything, other versions too. ChatDesk can import it again.</source>
        <translation>كل شيء، والنسخ الأخرى أيضًا. ويمكن لـ ChatDesk استيراده من جديد.</translation>
    </message>
    <message>
        <source>What to export</source>
        <translation>ما الذي يُصدَّر</translation>
    </message>
    <message>
        <source>Include the trash</source>
        <translation>تضمين سلة المهملات</translation>
    </message>
    <message>
        <source>Choose where…</source>
        <translation>اختيار المكان…</translation>
    </message>
    <message>
        <source>In ChatGPT open Settings, Data controls, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>في ChatGPT افتح Settings ثم Data controls واختر Export data. يصل رابط إلى ملف zip بالبريد الإلكتروني. اختر ذلك الملف هنا كما هو.</translation>
    </message>
    <message>
        <source>In Claude open Settings, Privacy, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>في Claude افتح Settings ثم Privacy واختر Export data. يصل رابط إلى ملف zip بالبريد الإلكتروني. اختر ذلك الملف هنا كما هو.</translation>
    </message>
    <message>
        <source>In Google Takeout choose My Activity alone, in it Gemini Apps alone, and JSON as the format. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>في Google Takeout اختر «نشاطي» وحده، وفيه «تطبيقات Gemini» وحدها، وتنسيق JSON. يصل رابط إلى ملف zip بالبريد الإلكتروني. اختر ذلك الملف هنا كما هو.</translation>
    </message>
    <message>
        <source>In Open WebUI open Settings, Chats, and choose Export Chats. It saves a JSON file: choose it here.</source>
        <translation>في Open WebUI افتح Settings ثم Chats واختر Export Chats. يُحفظ ملف JSON: اختره هنا.</translation>
    </message>
    <message>
        <source>In LibreChat open a conversation, choose Export in its menu, and JSON as the format. Choose that file here.</source>
        <translation>في LibreChat افتح محادثة واختر Export في قائمتها، وJSON صيغة. اختر ذلك الملف هنا.</translation>
    </message>
    <message>
        <source>In AnythingLLM open Settings, Admin, Workspace Chats, and choose Export, then JSON. Choose that file here. CSV and JSONL are read as well, with less in them.</source>
        <translation>في AnythingLLM افتح Settings ثم Admin ثم Workspace Chats واختر Export ثم JSON. اختر ذلك الملف هنا. ويُقرأ CSV وJSONL أيضًا، وفيهما أقل.</translation>
    </message>
    <message>
        <source>In Chatbox open Settings, General, Data Backup. Tick Chat History and choose Export Selected Data. Choose that file here.</source>
        <translation>في Chatbox افتح Settings ثم General ثم Data Backup. علّم Chat History واختر Export Selected Data. اختر ذلك الملف هنا.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings. Choose Export to Phone and export to a file; in older versions choose Backup. Choose that zip file here.</source>
        <translation>في Cherry Studio افتح Settings ثم Data Settings. اختر Export to Phone وصدّر إلى ملف؛ وفي الإصدارات الأقدم اختر Backup. اختر ملف zip ذاك هنا.</translation>
    </message>
    <message>
        <source>In Jan open Settings, General, and show the data folder. Choose the folder “threads” in it here.</source>
        <translation>في Jan افتح Settings ثم General وأظهر مجلّد البيانات. اختر المجلّد «threads» الذي فيه هنا.</translation>
    </message>
    <message>
        <source>Choose the folder “conversations” here. It is in the folder “.lmstudio” of your home folder; LM Studio shows it when you choose Reveal in the menu of a chat.</source>
        <translation>اختر المجلّد «conversations» هنا. وهو في المجلّد «.lmstudio» في مجلّدك المنزلي؛ ويُظهره LM Studio عندما تختار Reveal في قائمة دردشة.</translation>
    </message>
    <message>
        <source>In the other ChatDesk choose Export… in the menu of a thread, then Everything, and JSON. Choose that zip file here.</source>
        <translation>في ChatDesk الآخر اختر تصدير… في قائمة محادثة، ثم كل شيء، وJSON. اختر ملف zip ذاك هنا.</translation>
    </message>
    <message>
        <source>Import or attach?</source>
        <translation>استيراد أم إرفاق؟</translation>
    </message>
    <message>
        <source>“{name}” looks like an export of chats. Import its threads, or attach the file to your message?</source>
        <translation>يبدو «{name}» ملف دردشات مصدَّرًا. هل تريد استيراد محادثاته، أم إرفاق الملف برسالتك؟</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>استيراد</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>إرفاق</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>التقرير</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are kept</source>
        <comment>{count} memory is kept</comment>
        <translation>
            <numerusform>لا ذكريات محفوظة</numerusform>
            <numerusform>ذكرى واحدة محفوظة</numerusform>
            <numerusform>ذكريان محفوظتان</numerusform>
            <numerusform>{count} ذكريات محفوظة</numerusform>
            <numerusform>{count} ذكرى محفوظة</numerusform>
            <numerusform>{count} ذكرى محفوظة</numerusform>
        </translation>
    </message>
    <message>
        <source>The report is in the clipboard</source>
        <translation>التقرير في الحافظة</translation>
    </message>
    <message>
        <source>Exports (*.zip *.json *.jsonl *.csv);;All files (*)</source>
        <translation>الملفات المصدَّرة (*.zip *.json *.jsonl *.csv);;كل الملفات (*)</translation>
    </message>
    <message>
        <source>One named after the program</source>
        <translation>مشروع يحمل اسم البرنامج</translation>
    </message>
    <message>
        <source>Looking into the file…</source>
        <translation>يجري النظر في الملف …</translation>
    </message>
    <message>
        <source>Import a folder</source>
        <translation>استيراد مجلّد</translation>
    </message>
    <message>
        <source>{name} is chosen. Import starts it.</source>
        <translation>اختير {name}. وزر استيراد يبدأ العملية.</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>جارٍ الإيقاف …</translation>
    </message>
    <message>
        <source>What is here already stays as it is, so a newer export of the same chats can be imported at any time.</source>
        <translation>ما هو موجود هنا يبقى كما هو، فيمكن استيراد ملف مصدَّر أحدث للدردشات نفسها في أي وقت.</translation>
    </message>
    <message>
        <source>Import a file…</source>
        <translation>استيراد ملف…</translation>
    </message>
    <message>
        <source>Import a folder…</source>
        <translation>استيراد مجلد…</translation>
    </message>
    <message>
        <source>Project for the imported threads</source>
        <translation>مشروع المحادثات المستوردة</translation>
    </message>
    <message>
        <source>Into project</source>
        <translation>إلى المشروع</translation>
    </message>
    <message>
        <source>Program that the chats come from</source>
        <translation>البرنامج الذي تأتي منه الدردشات</translation>
    </message>
    <message>
        <source>Chats from</source>
        <translation>الدردشات من</translation>
    </message>
    <message>
        <source>Open {program}</source>
        <translation>فتح {program}</translation>
    </message>
    <message>
        <source>Progress of the import</source>
        <translation>تقدّم الاستيراد</translation>
    </message>
    <message>
        <source>You can go on working: the import does not need this window. What is imported already stays if you stop.</source>
        <translation>يمكنك متابعة العمل: لا يحتاج الاستيراد إلى هذه النافذة. وما استُورد يبقى إن أوقفته.</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>إخفاء</translation>
    </message>
    <message>
        <source>Result of each thread</source>
        <translation>نتيجة كل محادثة</translation>
    </message>
    <message>
        <source>ChatDesk {version} is available.</source>
        <translation>يتوفّر ChatDesk {version}.</translation>
    </message>
    <message>
        <source>This is ChatDesk {version}.</source>
        <translation>هذا ChatDesk {version}.</translation>
    </message>
    <message>
        <source>Look now</source>
        <translation>البحث الآن</translation>
    </message>
    <message>
        <source>Open the page</source>
        <translation>فتح الصفحة</translation>
    </message>
    <message>
        <source>ChatDesk {version} is the newest version.</source>
        <translation>ChatDesk {version} هو أحدث إصدار.</translation>
    </message>
    <message>
        <source>ChatDesk {new} is available; you have {version}.</source>
        <translation>يتوفّر ChatDesk {new}؛ ولديك {version}.</translation>
    </message>
    <message>
        <source>Looking for a new version…</source>
        <translation>يجري البحث عن إصدار جديد…</translation>
    </message>
    <message>
        <source>Tokens a day</source>
        <translation>الرموز في اليوم</translation>
    </message>
    <message>
        <source>Tokens a month</source>
        <translation>الرموز في الشهر</translation>
    </message>
    <message>
        <source>Dollars a day</source>
        <translation>الدولارات في اليوم</translation>
    </message>
    <message>
        <source>Dollars a month</source>
        <translation>الدولارات في الشهر</translation>
    </message>
    <message>
        <source>At the warning you get one note a day, and titles and summaries wait. At the stop nothing more is sent: your question is kept, and you can send it anyway. A model without a price counts as free here. Messages have a rate, such as 20/min or 200/day: further ones wait their turn.</source>
        <translation>عند التحذير تحصل على ملاحظة واحدة في اليوم، وتنتظر العناوين والملخّصات. وعند الإيقاف لا يُرسَل المزيد: سؤالك محفوظ، ويمكنك إرساله على أي حال. والنموذج الذي لا سعر له يُحسب هنا مجانيًا. وللرسائل معدّل، مثل 20/min أو 200/day: وما زاد ينتظر دوره.</translation>
    </message>
    <message>
        <source>Add a limit</source>
        <translation>إضافة حدّ</translation>
    </message>
    <message>
        <source>Two rates apply to the same provider or project. Remove one of them.</source>
        <translation>يسري معدّلان على المزوّد أو المشروع نفسه. أزل أحدهما.</translation>
    </message>
    <message>
        <source>Remove limit {number}</source>
        <translation>إزالة الحدّ {number}</translation>
    </message>
    <message>
        <source>Warning at</source>
        <translation>تحذير عند</translation>
    </message>
    <message>
        <source>Stop at</source>
        <translation>إيقاف عند</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>على الأكثر</translation>
    </message>
    <message>
        <source>“{typed}” is not a rate ({where}): {why}.</source>
        <translation>«{typed}» ليس معدّلًا ({where}): {why}.</translation>
    </message>
    <message>
        <source>Limit {number}, for</source>
        <translation>الحدّ {number}، لـ</translation>
    </message>
    <message>
        <source>Limit {number}, of</source>
        <translation>الحدّ {number}، من</translation>
    </message>
    <message>
        <source>Limit {number}, warning at</source>
        <translation>الحدّ {number}، تحذير عند</translation>
    </message>
    <message>
        <source>Limit {number}, stop at</source>
        <translation>الحدّ {number}، إيقاف عند</translation>
    </message>
    <message>
        <source>No warning</source>
        <translation>بلا تحذير</translation>
    </message>
    <message>
        <source>No stop</source>
        <translation>بلا إيقاف</translation>
    </message>
    <message>
        <source>“{typed}” is not a number ({where}). Write it as 100000 or 2.50.</source>
        <translation>«{typed}» ليس رقمًا ({where}). اكتبه مثل 100000 أو 2.50.</translation>
    </message>
    <message>
        <source>It is sent when the answer before it is complete.</source>
        <translation>تُرسَل عند اكتمال الإجابة السابقة لها.</translation>
    </message>
    <message>
        <source>The answer before it was not completed. Go to it to send it now.</source>
        <translation>لم تكتمل الإجابة السابقة لها. انتقل إليها لإرسالها الآن.</translation>
    </message>
    <message>
        <source>You are offline. It is sent when the connection is back.</source>
        <translation>أنت دون اتصال. تُرسَل عند عودة الاتصال.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait</source>
        <comment>{count} message waits</comment>
        <translation>
            <numerusform>لا رسائل تنتظر</numerusform>
            <numerusform>رسالة واحدة تنتظر</numerusform>
            <numerusform>رسالتان تنتظران</numerusform>
            <numerusform>{count} رسائل تنتظر</numerusform>
            <numerusform>{count} رسالة تنتظر</numerusform>
            <numerusform>{count} رسالة تنتظر</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk usage {first} to {last}.csv</source>
        <translation>استخدام ChatDesk من {first} إلى {last}.csv</translation>
    </message>
    <message>
        <source>Export usage</source>
        <translation>تصدير الاستخدام</translation>
    </message>
    <message>
        <source>CSV (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines were written to {name}</source>
        <comment>{count} line was written to {name}</comment>
        <translation>
            <numerusform>لم تُكتب أسطر في {name}</numerusform>
            <numerusform>كُتب سطر واحد في {name}</numerusform>
            <numerusform>كُتب سطران في {name}</numerusform>
            <numerusform>كُتبت {count} أسطر في {name}</numerusform>
            <numerusform>كُتب {count} سطرًا في {name}</numerusform>
            <numerusform>كُتب {count} سطر في {name}</numerusform>
        </translation>
    </message>
    <message>
        <source>{amount} used</source>
        <translation>استُخدم {amount}</translation>
    </message>
    <message>
        <source>It is sent in a moment.</source>
        <translation>تُرسَل بعد لحظة.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}, {before} before it.</source>
        <translation>تنتظر: تُرسَل الساعة {clock}، وقبلها {before}.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}.</source>
        <translation>تنتظر: تُرسَل الساعة {clock}.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically, {before} before it.</source>
        <translation>تنتظر: تُرسَل تلقائيًا، وقبلها {before}.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically.</source>
        <translation>تنتظر: تُرسَل تلقائيًا.</translation>
    </message>
    <message>
        <source>{time} on {day}</source>
        <translation>{time} يوم {day}</translation>
    </message>
    <message>
        <source>Waiting to be sent</source>
        <translation>بانتظار الإرسال</translation>
    </message>
    <message>
        <source>Go to it</source>
        <translation>الانتقال إليها</translation>
    </message>
    <message>
        <source>Go to {about}</source>
        <translation>الانتقال إلى {about}</translation>
    </message>
    <message>
        <source>Send first</source>
        <translation>الإرسال أولًا</translation>
    </message>
    <message>
        <source>Send first: {about}</source>
        <translation>الإرسال أولًا: {about}</translation>
    </message>
    <message>
        <source>Cancel {about}</source>
        <translation>إلغاء {about}</translation>
    </message>
    <message>
        <source>Nothing waits.</source>
        <translation>لا شيء ينتظر.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait. What is cancelled is not sent; the question is kept.</source>
        <comment>{count} message waits. What is cancelled is not sent; the question is kept.</comment>
        <translation>
            <numerusform>لا رسائل تنتظر.</numerusform>
            <numerusform>رسالة واحدة تنتظر. ما يُلغى لا يُرسَل؛ ويُحفظ السؤال.</numerusform>
            <numerusform>رسالتان تنتظران. ما يُلغى لا يُرسَل؛ ويُحفظ السؤال.</numerusform>
            <numerusform>{count} رسائل تنتظر. ما يُلغى لا يُرسَل؛ ويُحفظ السؤال.</numerusform>
            <numerusform>{count} رسالة تنتظر. ما يُلغى لا يُرسَل؛ ويُحفظ السؤال.</numerusform>
            <numerusform>{count} رسالة تنتظر. ما يُلغى لا يُرسَل؛ ويُحفظ السؤال.</numerusform>
        </translation>
    </message>
    <message>
        <source>{problem} Nothing was kept.</source>
        <translation>{problem} لم يُحفظ شيء.</translation>
    </message>
    <message>
        <source>{label} is kept. It cannot answer before it has a key.</source>
        <translation>حُفظ {label}. ولا يمكنه الإجابة قبل أن يكون له مفتاح.</translation>
    </message>
    <message>
        <source>{label} is connected.</source>
        <translation>تم توصيل {label}.</translation>
    </message>
    <message>
        <source>{label} is connected. {model} answers.</source>
        <translation>تم توصيل {label}. {model} يجيب.</translation>
    </message>
    <message>
        <source>Paste the key of a provider, or choose a server of your own. It is tested before it is kept.</source>
        <translation>ألصق مفتاح مزوّد، أو اختر خادمًا خاصًا بك. يُختبر قبل أن يُحفظ.</translation>
    </message>
    <message>
        <source>All providers…</source>
        <translation>كل المزوّدين…</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>المزوّد</translation>
    </message>
    <message>
        <source>Own server…</source>
        <translation>خادم خاص…</translation>
    </message>
    <message>
        <source>Address of the server</source>
        <translation>عنوان الخادم</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>توصيل</translation>
    </message>
    <message>
        <source>Save without a test</source>
        <translation>حفظ بلا اختبار</translation>
    </message>
    <message>
        <source>Found on this computer:</source>
        <translation>وُجد على هذا الحاسوب:</translation>
    </message>
    <message>
        <source>Use {label}, {models}</source>
        <translation>استخدام {label}، {models}</translation>
    </message>
    <message>
        <source>Found on this computer: {servers}</source>
        <translation>وُجد على هذا الحاسوب: {servers}</translation>
    </message>
    <message>
        <source>Paste the key that {label} gave you.</source>
        <translation>ألصق المفتاح الذي أعطاك إياه {label}.</translation>
    </message>
    <message>
        <source>This is a key of {label}</source>
        <translation>هذا مفتاح {label}</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>الخطوات الأولى</translation>
    </message>
    <message>
        <source>Take the tour</source>
        <translation>ابدأ الجولة</translation>
    </message>
    <message>
        <source>Welcome to ChatDesk</source>
        <translation>مرحبًا بك في ChatDesk</translation>
    </message>
    <message>
        <source>Connect a model to begin. Your chats stay on this computer.</source>
        <translation>صِل نموذجًا لتبدأ. تبقى دردشاتك على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>More…</source>
        <translation>المزيد…</translation>
    </message>
    <message>
        <source>Connect a provider</source>
        <translation>توصيل مزوّد</translation>
    </message>
    <message>
        <source>Import your chats</source>
        <translation>استيراد دردشاتك</translation>
    </message>
    <message>
        <source>Choose where they are now: the next page says how to get them out.</source>
        <translation>اختر أين هي الآن: تشرح الصفحة التالية كيفية إخراجها.</translation>
    </message>
    <message>
        <source>Import from {program}</source>
        <translation>استيراد من {program}</translation>
    </message>
    <message>
        <source>No account and no network: the demo model shows what ChatDesk can do.</source>
        <translation>بلا حساب ولا شبكة: يُظهر النموذج التجريبي ما يستطيع ChatDesk فعله.</translation>
    </message>
    <message>
        <source>What can ChatDesk do?</source>
        <translation>ماذا يستطيع ChatDesk أن يفعل؟</translation>
    </message>
    <message>
        <source>The provider of this model is gone. Choose another model at the top.</source>
        <translation>لم يعد مزوّد هذا النموذج موجودًا. اختر نموذجًا آخر في الأعلى.</translation>
    </message>
    <message>
        <source>{label} has no key yet, so it cannot answer. Put it into Settings, Providers, or choose another model at the top.</source>
        <translation>ليس لدى {label} مفتاح بعد، فلا يمكنه الإجابة. ضعه في الإعدادات، المزوّدون، أو اختر نموذجًا آخر في الأعلى.</translation>
    </message>
    <message>
        <source>The demo model answers, without account or network. It shows what ChatDesk can do.</source>
        <translation>النموذج التجريبي يجيب، بلا حساب ولا شبكة. ويُظهر ما يستطيع ChatDesk فعله.</translation>
    </message>
    <message>
        <source>{who} answers. Choose another model at the top.</source>
        <translation>{who} يجيب. اختر نموذجًا آخر في الأعلى.</translation>
    </message>
    <message>
        <source>Text of the artifact</source>
        <translation>نص الناتج</translation>
    </message>
    <message>
        <source>Ctrl+Enter saves a version, Esc leaves. Tab writes a tab.</source>
        <translation>Ctrl+Enter يحفظ نسخة، وEsc للخروج. وTab يكتب علامة جدولة.</translation>
    </message>
    <message numerus="yes">
        <source>{count} rows</source>
        <comment>{count} row</comment>
        <translation>
            <numerusform>لا صفوف</numerusform>
            <numerusform>صف واحد</numerusform>
            <numerusform>صفان</numerusform>
            <numerusform>{count} صفوف</numerusform>
            <numerusform>{count} صفًا</numerusform>
            <numerusform>{count} صف</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} columns</source>
        <comment>{count} column</comment>
        <translation>
            <numerusform>لا أعمدة</numerusform>
            <numerusform>عمود واحد</numerusform>
            <numerusform>عمودان</numerusform>
            <numerusform>{count} أعمدة</numerusform>
            <numerusform>{count} عمودًا</numerusform>
            <numerusform>{count} عمود</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask for a change</source>
        <translation>طلب تغيير</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>حفظ…</translation>
    </message>
    <message>
        <source>Show in the thread</source>
        <translation>عرض في المحادثة</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>إزالة من القائمة</translation>
    </message>
    <message>
        <source>All artifacts</source>
        <translation>كل النواتج</translation>
    </message>
    <message>
        <source>Previous version of the artifact</source>
        <translation>نسخة الناتج السابقة</translation>
    </message>
    <message>
        <source>Next version of the artifact</source>
        <translation>نسخة الناتج التالية</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>المصدر</translation>
    </message>
    <message>
        <source>Differences</source>
        <translation>الفروق</translation>
    </message>
    <message>
        <source>Save as version</source>
        <translation>حفظ كنسخة</translation>
    </message>
    <message>
        <source>{number} / {count}</source>
        <translation>{number} من {count}</translation>
    </message>
    <message>
        <source>Hide differences</source>
        <translation>إخفاء الفروق</translation>
    </message>
    <message>
        <source>Hide the differences</source>
        <translation>إخفاء الفروق</translation>
    </message>
    <message>
        <source>Show what changed since version {number}</source>
        <translation>عرض ما تغيّر منذ النسخة {number}</translation>
    </message>
    <message>
        <source>Drawn</source>
        <translation>مرسومًا</translation>
    </message>
    <message>
        <source>Show it drawn</source>
        <translation>عرضه مرسومًا</translation>
    </message>
    <message>
        <source>Show its source</source>
        <translation>عرض مصدره</translation>
    </message>
    <message>
        <source>{name}, version {number} of {count}</source>
        <translation>{name}، النسخة {number} من {count}</translation>
    </message>
    <message>
        <source>A temporary chat keeps no artifacts, because they are stored on disk. Keep the chat to open some.</source>
        <translation>لا تحتفظ الدردشة المؤقتة بنواتج، لأنها تُخزَّن على القرص. احتفظ بالدردشة لتفتح بعضها.</translation>
    </message>
    <message>
        <source>This thread has no artifacts yet. Files of its messages are listed here, and so is code that you open: code of 15 lines or more has “Open as artifact”, in its header and in the menu of its message.</source>
        <translation>ليست لهذه المحادثة نواتج بعد. تُسرد هنا ملفات رسائلها، وكذلك الكود الذي تفتحه: للكود من ١٥ سطرًا أو أكثر «فتح كناتج» في رأسه وفي قائمة رسالته.</translation>
    </message>
    <message>
        <source>Artifacts of this thread</source>
        <translation>نواتج هذه المحادثة</translation>
    </message>
    <message numerus="yes">
        <source>{count} versions</source>
        <comment>{count} version</comment>
        <translation>
            <numerusform>لا نسخ</numerusform>
            <numerusform>نسخة واحدة</numerusform>
            <numerusform>نسختان</numerusform>
            <numerusform>{count} نسخ</numerusform>
            <numerusform>{count} نسخة</numerusform>
            <numerusform>{count} نسخة</numerusform>
        </translation>
    </message>
    <message>
        <source>edited by you</source>
        <translation>حرّرتَه أنت</translation>
    </message>
    <message>
        <source>proposed change to a file</source>
        <translation>تغيير مقترح على ملف</translation>
    </message>
    <message>
        <source>from the tool {tool}</source>
        <translation>من الأداة {tool}</translation>
    </message>
    <message>
        <source>attached to a question</source>
        <translation>مرفق بسؤال</translation>
    </message>
    <message>
        <source>from a question</source>
        <translation>من سؤال</translation>
    </message>
    <message>
        <source>from an answer</source>
        <translation>من إجابة</translation>
    </message>
    <message>
        <source>sent</source>
        <translation>مُرسَل</translation>
    </message>
    <message>
        <source>in the summary</source>
        <translation>في الملخّص</translation>
    </message>
    <message>
        <source>excluded</source>
        <translation>مستبعد</translation>
    </message>
    <message>
        <source>did not fit</source>
        <translation>لم يتسع له المكان</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>فارغ</translation>
    </message>
    <message>
        <source>user</source>
        <translation>المستخدم</translation>
    </message>
    <message>
        <source>assistant</source>
        <translation>المساعد</translation>
    </message>
    <message>
        <source>system</source>
        <translation>النظام</translation>
    </message>
    <message>
        <source>tool</source>
        <translation>أداة</translation>
    </message>
    <message>
        <source>before the start of the context</source>
        <translation>قبل بداية السياق</translation>
    </message>
    <message>
        <source>What the model will see</source>
        <translation>ما سيراه النموذج</translation>
    </message>
    <message>
        <source>What happens to each message</source>
        <translation>ما يحدث لكل رسالة</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>تثبيت</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>استبعاد</translation>
    </message>
    <message>
        <source>Start here</source>
        <translation>البدء من هنا</translation>
    </message>
    <message>
        <source>Copy request as JSON</source>
        <translation>نسخ الطلب بصيغة JSON</translation>
    </message>
    <message>
        <source>Nothing yet: ask something.</source>
        <translation>لا شيء بعد: اسأل شيئًا.</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>إلغاء التثبيت</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>تضمين</translation>
    </message>
    <message>
        <source>Start at the top</source>
        <translation>البدء من الأعلى</translation>
    </message>
    <message>
        <source>(no text)</source>
        <translation>(بلا نص)</translation>
    </message>
    <message>
        <source>{about}: {text}</source>
        <translation>{about}: {text}</translation>
    </message>
    <message>
        <source>about {used} of {window} tokens · {model}</source>
        <translation>نحو {used} من {window} من الرموز · {model}</translation>
    </message>
    <message>
        <source>{used} of {window} tokens · {model}</source>
        <translation>{used} من {window} من الرموز · {model}</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>مثبّتة</translation>
    </message>
    <message numerus="yes">
        <source>{count} did not fit</source>
        <comment>{count} did not fit</comment>
        <translation>
            <numerusform>لم يُترك شيء</numerusform>
            <numerusform>واحدة لم يتسع لها المكان</numerusform>
            <numerusform>اثنتان لم يتسع لهما المكان</numerusform>
            <numerusform>{count} لم يتسع لها المكان</numerusform>
            <numerusform>{count} لم يتسع لها المكان</numerusform>
            <numerusform>{count} لم يتسع لها المكان</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} excluded</source>
        <comment>{count} excluded</comment>
        <translation>
            <numerusform>لا مستبعد</numerusform>
            <numerusform>واحدة مستبعدة</numerusform>
            <numerusform>اثنتان مستبعدتان</numerusform>
            <numerusform>{count} مستبعدة</numerusform>
            <numerusform>{count} مستبعدة</numerusform>
            <numerusform>{count} مستبعدة</numerusform>
        </translation>
    </message>
    <message>
        <source>older messages are left out from where you started</source>
        <translation>تُترك الرسائل الأقدم مما بدأت منه</translation>
    </message>
    <message>
        <source>the summary is out of date and not sent</source>
        <translation>الملخّص قديم ولا يُرسَل</translation>
    </message>
    <message>
        <source>{part}: {tokens}</source>
        <translation>{part}: {tokens}</translation>
    </message>
    <message>
        <source>Memories</source>
        <translation>الذكريات</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages</source>
        <comment>Summary of {count} message</comment>
        <translation>
            <numerusform>ملخّص لا رسائل</numerusform>
            <numerusform>ملخّص رسالة واحدة</numerusform>
            <numerusform>ملخّص رسالتين</numerusform>
            <numerusform>ملخّص {count} رسائل</numerusform>
            <numerusform>ملخّص {count} رسالة</numerusform>
            <numerusform>ملخّص {count} رسالة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pinned · {count} messages</source>
        <comment>Pinned · {count} message</comment>
        <translation>
            <numerusform>مثبّتة · لا رسائل</numerusform>
            <numerusform>مثبّتة · رسالة واحدة</numerusform>
            <numerusform>مثبّتة · رسالتان</numerusform>
            <numerusform>مثبّتة · {count} رسائل</numerusform>
            <numerusform>مثبّتة · {count} رسالة</numerusform>
            <numerusform>مثبّتة · {count} رسالة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Recent · {count} messages</source>
        <comment>Recent · {count} message</comment>
        <translation>
            <numerusform>حديثة · لا رسائل</numerusform>
            <numerusform>حديثة · رسالة واحدة</numerusform>
            <numerusform>حديثة · رسالتان</numerusform>
            <numerusform>حديثة · {count} رسائل</numerusform>
            <numerusform>حديثة · {count} رسالة</numerusform>
            <numerusform>حديثة · {count} رسالة</numerusform>
        </translation>
    </message>
    <message>
        <source>Your draft</source>
        <translation>مسودتك</translation>
    </message>
    <message>
        <source>Room for the answer</source>
        <translation>مكان الإجابة</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>المفتِّش</translation>
    </message>
    <message>
        <source>Inspector tabs</source>
        <translation>ألسنة المفتِّش</translation>
    </message>
    <message>
        <source>Close the inspector</source>
        <translation>إغلاق المفتِّش</translation>
    </message>
    <message>
        <source>Filter the questions</source>
        <translation>تصفية الأسئلة</translation>
    </message>
    <message numerus="yes">
        <source>{count} questions</source>
        <comment>{count} question</comment>
        <translation>
            <numerusform>لا أسئلة</numerusform>
            <numerusform>سؤال واحد</numerusform>
            <numerusform>سؤالان</numerusform>
            <numerusform>{count} أسئلة</numerusform>
            <numerusform>{count} سؤالًا</numerusform>
            <numerusform>{count} سؤال</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the thread…</source>
        <translation>تجري قراءة المحادثة…</translation>
    </message>
    <message>
        <source>No question contains these words.</source>
        <translation>لا سؤال يحتوي على هذه الكلمات.</translation>
    </message>
    <message>
        <source>No question has been asked yet.</source>
        <translation>لم يُطرح أي سؤال بعد.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} tokens</source>
        <comment>about {count} token</comment>
        <translation>
            <numerusform>لا رموز</numerusform>
            <numerusform>نحو رمز واحد</numerusform>
            <numerusform>نحو رمزين</numerusform>
            <numerusform>نحو {count} رموز</numerusform>
            <numerusform>نحو {count} رمزًا</numerusform>
            <numerusform>نحو {count} رمز</numerusform>
        </translation>
    </message>
    <message>
        <source>one of its messages was edited</source>
        <translation>حُرّرت إحدى رسائله</translation>
    </message>
    <message>
        <source>one of its messages was deleted</source>
        <translation>حُذفت إحدى رسائله</translation>
    </message>
    <message>
        <source>another version of one of its messages is shown</source>
        <translation>تُعرض نسخة أخرى من إحدى رسائله</translation>
    </message>
    <message>
        <source>one of its messages was excluded</source>
        <translation>استُبعدت إحدى رسائله</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>سؤال</translation>
    </message>
    <message>
        <source>Tool result</source>
        <translation>نتيجة أداة</translation>
    </message>
    <message>
        <source>Text of the summary</source>
        <translation>نص الملخّص</translation>
    </message>
    <message>
        <source>Kept word for word, a line each</source>
        <translation>محفوظ كلمة بكلمة، في كل سطر واحد</translation>
    </message>
    <message>
        <source>Facts that are kept word for word, a line each</source>
        <translation>حقائق تُحفظ كلمة بكلمة، في كل سطر واحدة</translation>
    </message>
    <message>
        <source>Summarise this thread</source>
        <translation>تلخيص هذه المحادثة</translation>
    </message>
    <message>
        <source>Summarise threads of this project</source>
        <translation>تلخيص محادثات هذا المشروع</translation>
    </message>
    <message>
        <source>Do not send</source>
        <translation>عدم الإرسال</translation>
    </message>
    <message>
        <source>First source</source>
        <translation>أول مصدر</translation>
    </message>
    <message>
        <source>Last source</source>
        <translation>آخر مصدر</translation>
    </message>
    <message>
        <source>There is no summary yet: it is made when the context fills.</source>
        <translation>لا ملخّص بعد: يُنشأ عندما يمتلئ السياق.</translation>
    </message>
    <message>
        <source>Save the summary</source>
        <translation>حفظ الملخّص</translation>
    </message>
    <message>
        <source>Edit the summary</source>
        <translation>تحرير الملخّص</translation>
    </message>
    <message>
        <source>Send again</source>
        <translation>إرسال من جديد</translation>
    </message>
    <message numerus="yes">
        <source>Made from {count} messages</source>
        <comment>Made from {count} message</comment>
        <translation>
            <numerusform>لم يُنشأ من رسائل</numerusform>
            <numerusform>أُنشئ من رسالة واحدة</numerusform>
            <numerusform>أُنشئ من رسالتين</numerusform>
            <numerusform>أُنشئ من {count} رسائل</numerusform>
            <numerusform>أُنشئ من {count} رسالة</numerusform>
            <numerusform>أُنشئ من {count} رسالة</numerusform>
        </translation>
    </message>
    <message>
        <source>a model</source>
        <translation>نموذج</translation>
    </message>
    <message numerus="yes">
        <source>Version {version}, by {who}, {when}: {count} messages in {tokens} tokens.</source>
        <comment>Version {version}, by {who}, {when}: {count} message in {tokens} tokens.</comment>
        <translation>
            <numerusform>النسخة {version}، من {who}، {when}: لا رسائل في {tokens} من الرموز.</numerusform>
            <numerusform>النسخة {version}، من {who}، {when}: رسالة واحدة في {tokens} من الرموز.</numerusform>
            <numerusform>النسخة {version}، من {who}، {when}: رسالتان في {tokens} من الرموز.</numerusform>
            <numerusform>النسخة {version}، من {who}، {when}: {count} رسائل في {tokens} من الرموز.</numerusform>
            <numerusform>النسخة {version}، من {who}، {when}: {count} رسالة في {tokens} من الرموز.</numerusform>
            <numerusform>النسخة {version}، من {who}، {when}: {count} رسالة في {tokens} من الرموز.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens.</source>
        <comment>Making it took {count} token.</comment>
        <translation>
            <numerusform>لم يستهلك إنشاؤه رموزًا.</numerusform>
            <numerusform>استهلك إنشاؤه رمزًا واحدًا.</numerusform>
            <numerusform>استهلك إنشاؤه رمزين.</numerusform>
            <numerusform>استهلك إنشاؤه {count} رموز.</numerusform>
            <numerusform>استهلك إنشاؤه {count} رمزًا.</numerusform>
            <numerusform>استهلك إنشاؤه {count} رمز.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens ({price}).</source>
        <comment>Making it took {count} token ({price}).</comment>
        <translation>
            <numerusform>لم يستهلك إنشاؤه رموزًا ({price}).</numerusform>
            <numerusform>استهلك إنشاؤه رمزًا واحدًا ({price}).</numerusform>
            <numerusform>استهلك إنشاؤه رمزين ({price}).</numerusform>
            <numerusform>استهلك إنشاؤه {count} رموز ({price}).</numerusform>
            <numerusform>استهلك إنشاؤه {count} رمزًا ({price}).</numerusform>
            <numerusform>استهلك إنشاؤه {count} رمز ({price}).</numerusform>
        </translation>
    </message>
    <message>
        <source>Summaries are switched off in Settings, Context, for all threads.</source>
        <translation>الملخّصات معطّلة في الإعدادات، السياق، لكل المحادثات.</translation>
    </message>
    <message>
        <source>No thread of this project is summarised.</source>
        <translation>لا تُلخَّص أي محادثة من هذا المشروع.</translation>
    </message>
    <message>
        <source>Today&apos;s limit for titles and summaries is reached. Summaries are made again tomorrow.</source>
        <translation>بُلغ حدّ اليوم للعناوين والملخّصات. تُنشأ الملخّصات من جديد غدًا.</translation>
    </message>
    <message>
        <source>Some of its messages are gone for good, so it is not sent.</source>
        <translation>بعض رسائله اختفت نهائيًا، لذا لا يُرسَل.</translation>
    </message>
    <message>
        <source>It is not sent: you switched it off. Another one is made only when you redo it.</source>
        <translation>لا يُرسَل: عطّلته أنت. ولا يُنشأ غيره إلا عندما تعيد إنشاءه.</translation>
    </message>
    <message>
        <source>It is out of date and not sent: {why}. Redo it to have it sent again.</source>
        <translation>هو قديم ولا يُرسَل: {why}. أعد إنشاءه ليُرسَل من جديد.</translation>
    </message>
    <message>
        <source>It is out of date and not sent. Redo it to have it sent again.</source>
        <translation>هو قديم ولا يُرسَل. أعد إنشاءه ليُرسَل من جديد.</translation>
    </message>
    <message>
        <source>Messages that the summary is made from</source>
        <translation>الرسائل التي أُنشئ منها الملخّص</translation>
    </message>
    <message>
        <source>All versions of this thread</source>
        <translation>كل نسخ هذه المحادثة</translation>
    </message>
    <message>
        <source>{what} of {model}</source>
        <translation>{what} من {model}</translation>
    </message>
    <message>
        <source>version {number} of {count}</source>
        <translation>النسخة {number} من {count}</translation>
    </message>
    <message>
        <source>removed for good</source>
        <translation>أُزيلت نهائيًا</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>معروضة</translation>
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
        <translation>{cost} على الأقل</translation>
    </message>
    <message>
        <source>no price is known</source>
        <translation>لا سعر معروف</translation>
    </message>
    <message>
        <source>In</source>
        <translation>الداخل</translation>
    </message>
    <message>
        <source>Cached</source>
        <translation>المخبأ</translation>
    </message>
    <message>
        <source>Of them from the provider&apos;s cache</source>
        <translation>منها من مخبأ المزوّد</translation>
    </message>
    <message>
        <source>Out</source>
        <translation>الخارج</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>للتفكير</translation>
    </message>
    <message>
        <source>Of them for reasoning</source>
        <translation>منها للتفكير</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>التكلفة</translation>
    </message>
    <message>
        <source>What this thread used</source>
        <translation>ما استخدمته هذه المحادثة</translation>
    </message>
    <message>
        <source>Add prices…</source>
        <translation>إضافة أسعار…</translation>
    </message>
    <message>
        <source>Total</source>
        <translation>المجموع</translation>
    </message>
    <message>
        <source>{line}, {column}: {value}</source>
        <translation>{line}، {column}: {value}</translation>
    </message>
    <message>
        <source>Tokens and cost by kind of work and model</source>
        <translation>الرموز والتكلفة حسب نوع العمل والنموذج</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests</source>
        <comment>{count} request</comment>
        <translation>
            <numerusform>لا طلبات</numerusform>
            <numerusform>طلب واحد</numerusform>
            <numerusform>طلبان</numerusform>
            <numerusform>{count} طلبات</numerusform>
            <numerusform>{count} طلبًا</numerusform>
            <numerusform>{count} طلب</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} in {requests}.</source>
        <translation>{tokens} في {requests}.</translation>
    </message>
    <message>
        <source>{tokens} in {requests}, {cost}.</source>
        <translation>{tokens} في {requests}، {cost}.</translation>
    </message>
    <message numerus="yes">
        <source>The tokens of {count} requests are estimates: the server did not count them.</source>
        <comment>The tokens of {count} request are estimates: the server did not count them.</comment>
        <translation>
            <numerusform>لا رموز تقديرية.</numerusform>
            <numerusform>رموز طلب واحد تقديرية: لم يعدّها الخادم.</numerusform>
            <numerusform>رموز طلبين تقديرية: لم يعدّها الخادم.</numerusform>
            <numerusform>رموز {count} طلبات تقديرية: لم يعدّها الخادم.</numerusform>
            <numerusform>رموز {count} طلبًا تقديرية: لم يعدّها الخادم.</numerusform>
            <numerusform>رموز {count} طلب تقديرية: لم يعدّها الخادم.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens were stored in the provider&apos;s cache.</source>
        <comment>{count} token was stored in the provider&apos;s cache.</comment>
        <translation>
            <numerusform>لم تُخزَّن رموز في مخبأ المزوّد.</numerusform>
            <numerusform>خُزّن رمز واحد في مخبأ المزوّد.</numerusform>
            <numerusform>خُزّن رمزان في مخبأ المزوّد.</numerusform>
            <numerusform>خُزّنت {count} رموز في مخبأ المزوّد.</numerusform>
            <numerusform>خُزّن {count} رمزًا في مخبأ المزوّد.</numerusform>
            <numerusform>خُزّن {count} رمز في مخبأ المزوّد.</numerusform>
        </translation>
    </message>
    <message>
        <source>No price is known for {models}. The cost leaves it out.</source>
        <translation>لا سعر معروف لـ {models}. ولا تشمله التكلفة.</translation>
    </message>
    <message>
        <source>{month} {year}</source>
        <translation>{month} {year}</translation>
    </message>
    <message>
        <source>{day} {month}</source>
        <translation>{day} {month}</translation>
    </message>
    <message>
        <source>{day} {month} {year}</source>
        <translation>{day} {month} {year}</translation>
    </message>
    <message>
        <source>{day}, {time}</source>
        <translation>{day}، {time}</translation>
    </message>
    <message>
        <source>under {amount}</source>
        <translation>أقل من {amount}</translation>
    </message>
    <message>
        <source>${amount}</source>
        <translation>‏{amount}&#xa0;$</translation>
    </message>
    <message>
        <source>in threads with a tag</source>
        <translation>في محادثات تحمل وسمًا</translation>
    </message>
    <message>
        <source>written by you or by the model</source>
        <translation>كتبتها أنت أو كتبها النموذج</translation>
    </message>
    <message>
        <source>answered by a model</source>
        <translation>أجاب عنها نموذج</translation>
    </message>
    <message>
        <source>before a day: 2026-05-01, yesterday, 7d</source>
        <translation>قبل يوم: 2026-05-01، yesterday، 7d</translation>
    </message>
    <message>
        <source>from a day on: 2026-05-01, yesterday, 7d</source>
        <translation>من يوم فصاعدًا: 2026-05-01، yesterday، 7d</translation>
    </message>
    <message>
        <source>with code, an image or a file</source>
        <translation>فيها كود أو صورة أو ملف</translation>
    </message>
    <message>
        <source>pinned, archived or trashed</source>
        <translation>مثبّتة أو مؤرشفة أو في سلة المهملات</translation>
    </message>
    <message>
        <source>Narrow with project: tag: role: model: before: after: has: is: and leave out with -word. &gt; lists commands.</source>
        <translation>ضيّق باستخدام project: tag: role: model: before: after: has: is:‎ واستبعد بـ ‎-word. والعلامة &gt; تسرد الأوامر.</translation>
    </message>
    <message>
        <source>No command matches.</source>
        <translation>لا أمر مطابق.</translation>
    </message>
    <message>
        <source>Filters</source>
        <translation>المرشّحات</translation>
    </message>
    <message>
        <source>Filter {filter}</source>
        <translation>المرشّح {filter}</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>الأوامر</translation>
    </message>
    <message>
        <source>Search everything</source>
        <translation>البحث في كل شيء</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Tab goes to the next group</source>
        <translation>النتائج في الأسفل: السهمان لأعلى ولأسفل يختاران، وTab ينتقل إلى المجموعة التالية</translation>
    </message>
    <message>
        <source>Search messages, threads, files and commands</source>
        <translation>البحث في الرسائل والمحادثات والملفات والأوامر</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>النتائج</translation>
    </message>
    <message>
        <source>{found}. First: {row}</source>
        <extracomment>Spoken after a search: how much was found, and the first result, which Enter opens.</extracomment>
        <translation>{found}. النتيجة الأولى: {row}</translation>
    </message>
    <message>
        <source>More messages…</source>
        <translation>مزيد من الرسائل…</translation>
    </message>
    <message>
        <source>More threads…</source>
        <translation>مزيد من المحادثات…</translation>
    </message>
    <message>
        <source>More projects…</source>
        <translation>مزيد من المشاريع…</translation>
    </message>
    <message>
        <source>More tags…</source>
        <translation>مزيد من الوسوم…</translation>
    </message>
    <message>
        <source>More files…</source>
        <translation>مزيد من الملفات…</translation>
    </message>
    <message numerus="yes">
        <source>{count} tags</source>
        <comment>{count} tag</comment>
        <translation>
            <numerusform>لا وسوم</numerusform>
            <numerusform>وسم واحد</numerusform>
            <numerusform>وسمان</numerusform>
            <numerusform>{count} وسوم</numerusform>
            <numerusform>{count} وسمًا</numerusform>
            <numerusform>{count} وسم</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} files</source>
        <comment>{count} file</comment>
        <translation>
            <numerusform>لا ملفات</numerusform>
            <numerusform>ملف واحد</numerusform>
            <numerusform>ملفان</numerusform>
            <numerusform>{count} ملفات</numerusform>
            <numerusform>{count} ملفًا</numerusform>
            <numerusform>{count} ملف</numerusform>
        </translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>أداة</translation>
    </message>
    <message>
        <source>Recent threads</source>
        <translation>المحادثات الأخيرة</translation>
    </message>
    <message>
        <source>more than {found}</source>
        <translation>أكثر من {found}</translation>
    </message>
    <message numerus="yes">
        <source>{count} commands</source>
        <comment>{count} command</comment>
        <translation>
            <numerusform>لا أوامر</numerusform>
            <numerusform>أمر واحد</numerusform>
            <numerusform>أمران</numerusform>
            <numerusform>{count} أوامر</numerusform>
            <numerusform>{count} أمرًا</numerusform>
            <numerusform>{count} أمر</numerusform>
        </translation>
    </message>
    <message>
        <source>today</source>
        <translation>اليوم</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>أمس</translation>
    </message>
    <message>
        <source>All results for “{query}”</source>
        <translation>كل النتائج عن «{query}»</translation>
    </message>
    <message>
        <source>archived</source>
        <translation>مؤرشفة</translation>
    </message>
    <message>
        <source>another version</source>
        <translation>نسخة أخرى</translation>
    </message>
    <message>
        <source>{what}, in {thread}</source>
        <translation>{what}، في {thread}</translation>
    </message>
    <message>
        <source>thread {name}</source>
        <translation>المحادثة {name}</translation>
    </message>
    <message>
        <source>project {name}</source>
        <translation>المشروع {name}</translation>
    </message>
    <message>
        <source>tag {name}</source>
        <translation>الوسم {name}</translation>
    </message>
    <message>
        <source>file {name}</source>
        <translation>الملف {name}</translation>
    </message>
    <message numerus="yes">
        <source>more than {count} found in {took} ms</source>
        <comment>more than {count} found in {took} ms</comment>
        <translation>
            <numerusform>لا نتائج في {took} م.ث</numerusform>
            <numerusform>أكثر من نتيجة واحدة في {took} م.ث</numerusform>
            <numerusform>أكثر من نتيجتين في {took} م.ث</numerusform>
            <numerusform>أكثر من {count} نتائج في {took} م.ث</numerusform>
            <numerusform>أكثر من {count} نتيجة في {took} م.ث</numerusform>
            <numerusform>أكثر من {count} نتيجة في {took} م.ث</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} found in {took} ms</source>
        <comment>{count} found in {took} ms</comment>
        <translation>
            <numerusform>لا نتائج في {took} م.ث</numerusform>
            <numerusform>نتيجة واحدة في {took} م.ث</numerusform>
            <numerusform>نتيجتان في {took} م.ث</numerusform>
            <numerusform>{count} نتائج في {took} م.ث</numerusform>
            <numerusform>{count} نتيجة في {took} م.ث</numerusform>
            <numerusform>{count} نتيجة في {took} م.ث</numerusform>
        </translation>
    </message>
    <message>
        <source>more than {count} found</source>
        <translation>أكثر من {count} من النتائج</translation>
    </message>
    <message numerus="yes">
        <source>{count} found</source>
        <comment>{count} found</comment>
        <translation>
            <numerusform>لا نتائج</numerusform>
            <numerusform>نتيجة واحدة</numerusform>
            <numerusform>نتيجتان</numerusform>
            <numerusform>{count} نتائج</numerusform>
            <numerusform>{count} نتيجة</numerusform>
            <numerusform>{count} نتيجة</numerusform>
        </translation>
    </message>
    <message>
        <source>Opens the list of what waits</source>
        <translation>يفتح قائمة ما ينتظر</translation>
    </message>
    <message>
        <source>Temporary chat, not stored</source>
        <translation>دردشة مؤقتة، غير مخزَّنة</translation>
    </message>
    <message>
        <source>Opens the temporary chat</source>
        <translation>يفتح الدردشة المؤقتة</translation>
    </message>
    <message>
        <source>{title} (temporary: nothing is stored)</source>
        <translation>{title} (مؤقتة: لا يُخزَّن شيء)</translation>
    </message>
    <message>
        <source>Sync</source>
        <translation>المزامنة</translation>
    </message>
    <message>
        <source>Opens the details of sync</source>
        <translation>يفتح تفاصيل المزامنة</translation>
    </message>
    <message numerus="yes">
        <source>{title}, project folder, {count} threads</source>
        <comment>{title}, project folder, {count} thread</comment>
        <translation>
            <numerusform>{title}، مجلّد مشروع، لا محادثات</numerusform>
            <numerusform>{title}، مجلّد مشروع، محادثة واحدة</numerusform>
            <numerusform>{title}، مجلّد مشروع، محادثتان</numerusform>
            <numerusform>{title}، مجلّد مشروع، {count} محادثات</numerusform>
            <numerusform>{title}، مجلّد مشروع، {count} محادثة</numerusform>
            <numerusform>{title}، مجلّد مشروع، {count} محادثة</numerusform>
        </translation>
    </message>
    <message>
        <source>By name</source>
        <translation>حسب الاسم</translation>
    </message>
    <message>
        <source>Unknown time</source>
        <translation>وقت غير معروف</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>اليوم</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>أمس</translation>
    </message>
    <message>
        <source>Previous 7 days</source>
        <translation>آخر ٧ أيام</translation>
    </message>
    <message>
        <source>Pinned</source>
        <comment>heading</comment>
        <translation>المثبّتة</translation>
    </message>
    <message numerus="yes">
        <source>{count} days left</source>
        <comment>{count} day left</comment>
        <translation>
            <numerusform>لا أيام متبقية</numerusform>
            <numerusform>بقي يوم واحد</numerusform>
            <numerusform>بقي يومان</numerusform>
            <numerusform>بقيت {count} أيام</numerusform>
            <numerusform>بقي {count} يومًا</numerusform>
            <numerusform>بقي {count} يوم</numerusform>
        </translation>
    </message>
    <message>
        <source>today {time}</source>
        <translation>اليوم {time}</translation>
    </message>
    <message>
        <source>Load the list of threads again</source>
        <translation>تحميل قائمة المحادثات من جديد</translation>
    </message>
    <message>
        <source>Loading threads…</source>
        <translation>جارٍ تحميل المحادثات…</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>سلة المهملات</translation>
    </message>
    <message>
        <source>You can only read this project</source>
        <translation>يمكنك قراءة هذا المشروع فقط</translation>
    </message>
    <message numerus="yes">
        <source>Mark {count} threads as read</source>
        <comment>Mark {count} thread as read</comment>
        <translation>
            <numerusform>تعليم لا محادثات كمقروءة</numerusform>
            <numerusform>تعليم المحادثة كمقروءة</numerusform>
            <numerusform>تعليم محادثتين كمقروءتين</numerusform>
            <numerusform>تعليم {count} محادثات كمقروءة</numerusform>
            <numerusform>تعليم {count} محادثة كمقروءة</numerusform>
            <numerusform>تعليم {count} محادثة كمقروءة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads to a project…</source>
        <comment>Move {count} thread to a project…</comment>
        <translation>
            <numerusform>نقل لا محادثات إلى مشروع…</numerusform>
            <numerusform>نقل المحادثة إلى مشروع…</numerusform>
            <numerusform>نقل محادثتين إلى مشروع…</numerusform>
            <numerusform>نقل {count} محادثات إلى مشروع…</numerusform>
            <numerusform>نقل {count} محادثة إلى مشروع…</numerusform>
            <numerusform>نقل {count} محادثة إلى مشروع…</numerusform>
        </translation>
    </message>
    <message>
        <source>Tags…</source>
        <translation>الوسوم…</translation>
    </message>
    <message numerus="yes">
        <source>Export {count} threads…</source>
        <comment>Export {count} thread…</comment>
        <translation>
            <numerusform>تصدير لا محادثات…</numerusform>
            <numerusform>تصدير المحادثة…</numerusform>
            <numerusform>تصدير محادثتين…</numerusform>
            <numerusform>تصدير {count} محادثات…</numerusform>
            <numerusform>تصدير {count} محادثة…</numerusform>
            <numerusform>تصدير {count} محادثة…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete {count} thread</comment>
        <translation>
            <numerusform>حذف لا محادثات</numerusform>
            <numerusform>حذف المحادثة</numerusform>
            <numerusform>حذف محادثتين</numerusform>
            <numerusform>حذف {count} محادثات</numerusform>
            <numerusform>حذف {count} محادثة</numerusform>
            <numerusform>حذف {count} محادثة</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort by last activity</source>
        <translation>فرز حسب آخر نشاط</translation>
    </message>
    <message>
        <source>Sort by name</source>
        <translation>فرز حسب الاسم</translation>
    </message>
    <message>
        <source>Group by date</source>
        <translation>تجميع حسب التاريخ</translation>
    </message>
    <message>
        <source>Group by project</source>
        <translation>تجميع حسب المشروع</translation>
    </message>
    <message>
        <source>Show one tag</source>
        <translation>عرض وسم واحد</translation>
    </message>
    <message>
        <source>All threads</source>
        <translation>كل المحادثات</translation>
    </message>
    <message>
        <source>Delete for good…</source>
        <translation>حذف نهائي…</translation>
    </message>
    <message numerus="yes">
        <source>Restore {count} threads</source>
        <comment>Restore {count} thread</comment>
        <translation>
            <numerusform>استعادة لا محادثات</numerusform>
            <numerusform>استعادة المحادثة</numerusform>
            <numerusform>استعادة محادثتين</numerusform>
            <numerusform>استعادة {count} محادثات</numerusform>
            <numerusform>استعادة {count} محادثة</numerusform>
            <numerusform>استعادة {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete {count} thread for good…</comment>
        <translation>
            <numerusform>حذف لا محادثات نهائيًا…</numerusform>
            <numerusform>حذف المحادثة نهائيًا…</numerusform>
            <numerusform>حذف محادثتين نهائيًا…</numerusform>
            <numerusform>حذف {count} محادثات نهائيًا…</numerusform>
            <numerusform>حذف {count} محادثة نهائيًا…</numerusform>
            <numerusform>حذف {count} محادثة نهائيًا…</numerusform>
        </translation>
    </message>
    <message>
        <source>Unpin</source>
        <comment>thread</comment>
        <translation>إلغاء التثبيت</translation>
    </message>
    <message>
        <source>Pin</source>
        <comment>thread</comment>
        <translation>تثبيت</translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin {count} thread</comment>
        <translation>
            <numerusform>إلغاء تثبيت لا محادثات</numerusform>
            <numerusform>إلغاء تثبيت المحادثة</numerusform>
            <numerusform>إلغاء تثبيت محادثتين</numerusform>
            <numerusform>إلغاء تثبيت {count} محادثات</numerusform>
            <numerusform>إلغاء تثبيت {count} محادثة</numerusform>
            <numerusform>إلغاء تثبيت {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin {count} thread</comment>
        <translation>
            <numerusform>تثبيت لا محادثات</numerusform>
            <numerusform>تثبيت المحادثة</numerusform>
            <numerusform>تثبيت محادثتين</numerusform>
            <numerusform>تثبيت {count} محادثات</numerusform>
            <numerusform>تثبيت {count} محادثة</numerusform>
            <numerusform>تثبيت {count} محادثة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads out of the archive</source>
        <comment>Move {count} thread out of the archive</comment>
        <translation>
            <numerusform>نقل لا محادثات خارج الأرشيف</numerusform>
            <numerusform>نقل المحادثة خارج الأرشيف</numerusform>
            <numerusform>نقل محادثتين خارج الأرشيف</numerusform>
            <numerusform>نقل {count} محادثات خارج الأرشيف</numerusform>
            <numerusform>نقل {count} محادثة خارج الأرشيف</numerusform>
            <numerusform>نقل {count} محادثة خارج الأرشيف</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive {count} thread</comment>
        <translation>
            <numerusform>أرشفة لا محادثات</numerusform>
            <numerusform>أرشفة المحادثة</numerusform>
            <numerusform>أرشفة محادثتين</numerusform>
            <numerusform>أرشفة {count} محادثات</numerusform>
            <numerusform>أرشفة {count} محادثة</numerusform>
            <numerusform>أرشفة {count} محادثة</numerusform>
        </translation>
    </message>
    <message>
        <source>Project {name}, {shared}</source>
        <translation>المشروع {name}، {shared}</translation>
    </message>
    <message>
        <source>Opens the list of projects</source>
        <translation>يفتح قائمة المشاريع</translation>
    </message>
    <message>
        <source>deleted {when}</source>
        <translation>حُذفت {when}</translation>
    </message>
    <message numerus="yes">
        <source>{count} unread</source>
        <comment>{count} unread</comment>
        <translation>
            <numerusform>لا غير مقروء</numerusform>
            <numerusform>واحدة غير مقروءة</numerusform>
            <numerusform>اثنتان غير مقروءتين</numerusform>
            <numerusform>{count} غير مقروءة</numerusform>
            <numerusform>{count} غير مقروءة</numerusform>
            <numerusform>{count} غير مقروءة</numerusform>
        </translation>
    </message>
    <message>
        <source>tagged {tags}</source>
        <translation>موسومة بـ {tags}</translation>
    </message>
    <message>
        <source>pinned</source>
        <comment>thread</comment>
        <translation>مثبّتة</translation>
    </message>
    <message>
        <source>answer is being written</source>
        <translation>إجابة قيد الكتابة</translation>
    </message>
    <message>
        <source>Marked threads</source>
        <translation>المحادثات المحدّدة</translation>
    </message>
    <message>
        <source>Mark nothing</source>
        <translation>إلغاء كل تحديد</translation>
    </message>
    <message numerus="yes">
        <source>{count} marked</source>
        <comment>{count} marked</comment>
        <translation>
            <numerusform>لا محدّد</numerusform>
            <numerusform>واحدة محدّدة</numerusform>
            <numerusform>اثنتان محدّدتان</numerusform>
            <numerusform>{count} محدّدة</numerusform>
            <numerusform>{count} محدّدة</numerusform>
            <numerusform>{count} محدّدة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are marked</source>
        <comment>{count} thread is marked</comment>
        <translation>
            <numerusform>لا محادثات محدّدة</numerusform>
            <numerusform>محادثة واحدة محدّدة</numerusform>
            <numerusform>محادثتان محدّدتان</numerusform>
            <numerusform>{count} محادثات محدّدة</numerusform>
            <numerusform>{count} محادثة محدّدة</numerusform>
            <numerusform>{count} محادثة محدّدة</numerusform>
        </translation>
    </message>
    <message>
        <source>Sidebar</source>
        <translation>الشريط الجانبي</translation>
    </message>
    <message>
        <source>New thread (Ctrl+N)</source>
        <translation>محادثة جديدة (Ctrl+N)</translation>
    </message>
    <message>
        <source>Settings (Ctrl+,)</source>
        <translation>الإعدادات (Ctrl+,)</translation>
    </message>
    <message>
        <source>Threads, archive or trash</source>
        <translation>المحادثات أو الأرشيف أو سلة المهملات</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>جارٍ الفتح…</translation>
    </message>
    <message>
        <source>Status: {text}</source>
        <translation>الحالة: {text}</translation>
    </message>
    <message>
        <source>{what}: {text}</source>
        <translation>{what}: {text}</translation>
    </message>
    <message>
        <source>Title of the thread</source>
        <translation>عنوان المحادثة</translation>
    </message>
    <message>
        <source>No thread here has the tag “{tag}”.</source>
        <translation>لا محادثة هنا تحمل الوسم «{tag}».</translation>
    </message>
    <message>
        <source>Nothing is archived.</source>
        <translation>لا شيء مؤرشف.</translation>
    </message>
    <message numerus="yes">
        <source>No thread is in the trash. Deleted threads and messages stay here for {count} days.</source>
        <comment>No thread is in the trash. Deleted threads and messages stay here for {count} day.</comment>
        <translation>
            <numerusform>لا محادثات في سلة المهملات.</numerusform>
            <numerusform>لا محادثات في سلة المهملات. تبقى المحادثات والرسائل المحذوفة هنا يومًا واحدًا.</numerusform>
            <numerusform>لا محادثات في سلة المهملات. تبقى المحادثات والرسائل المحذوفة هنا يومين.</numerusform>
            <numerusform>لا محادثات في سلة المهملات. تبقى المحادثات والرسائل المحذوفة هنا {count} أيام.</numerusform>
            <numerusform>لا محادثات في سلة المهملات. تبقى المحادثات والرسائل المحذوفة هنا {count} يومًا.</numerusform>
            <numerusform>لا محادثات في سلة المهملات. تبقى المحادثات والرسائل المحذوفة هنا {count} يوم.</numerusform>
        </translation>
    </message>
    <message>
        <source>No threads in this project yet. Type a question to begin the first.</source>
        <translation>لا محادثات في هذا المشروع بعد. اكتب سؤالًا لتبدأ الأولى.</translation>
    </message>
    <message>
        <source>No threads yet. Type a question to begin the first.</source>
        <translation>لا محادثات بعد. اكتب سؤالًا لتبدأ الأولى.</translation>
    </message>
    <message>
        <source>{list} · back to threads</source>
        <translation>{list} · رجوع إلى المحادثات</translation>
    </message>
    <message>
        <source>{list} with “{tag}” · show all</source>
        <translation>{list} بالوسم «{tag}» · عرض الكل</translation>
    </message>
    <message>
        <source>{name}. {remark}</source>
        <translation>{name}. {remark}</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>صورة</translation>
    </message>
    <message>
        <source>Diagram</source>
        <translation>رسم تخطيطي</translation>
    </message>
    <message>
        <source>Attached: {file}</source>
        <translation>مرفق: {file}</translation>
    </message>
    <message>
        <source>New messages begin here</source>
        <translation>الرسائل الجديدة تبدأ هنا</translation>
    </message>
    <message>
        <source>Message tools</source>
        <translation>أدوات الرسالة</translation>
    </message>
    <message>
        <source>Formula {text}</source>
        <translation>المعادلة {text}</translation>
    </message>
    <message>
        <source>Heading level {level}</source>
        <translation>عنوان من المستوى {level}</translation>
    </message>
    <message>
        <source>List level {level}</source>
        <translation>قائمة من المستوى {level}</translation>
    </message>
    <message>
        <source>Not fetched, from {host}</source>
        <translation>لم تُجلب، من {host}</translation>
    </message>
    <message>
        <source>{column}: {words}</source>
        <translation>{column}: {words}</translation>
    </message>
    <message>
        <source>Column {column}</source>
        <translation>العمود {column}</translation>
    </message>
    <message>
        <source>Row {number}, column {column}</source>
        <translation>الصف {number}، العمود {column}</translation>
    </message>
    <message>
        <source>Transcript</source>
        <translation>نص المحادثة</translation>
    </message>
    <message>
        <source>The first {most_messages} messages were copied.</source>
        <translation>نُسخت أول {most_messages} من الرسائل.</translation>
    </message>
    <message>
        <source>{weekday}, {moment} {zone}</source>
        <translation>{weekday}، {moment} {zone}</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} ث</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} د {seconds} ث</translation>
    </message>
    <message>
        <source>It is not an image that can be shown.</source>
        <translation>ليست صورة يمكن عرضها.</translation>
    </message>
    <message>
        <source>It has too many pixels.</source>
        <translation>بكسلاتها أكثر مما ينبغي.</translation>
    </message>
    <message>
        <source>It is damaged or too large.</source>
        <translation>هي تالفة أو أكبر مما ينبغي.</translation>
    </message>
    <message>
        <source>The file is not there.</source>
        <translation>الملف غير موجود.</translation>
    </message>
    <message>
        <source>It is larger than {limit} MB.</source>
        <translation>هو أكبر من {limit} م.ب.</translation>
    </message>
    <message>
        <source>The file cannot be read.</source>
        <translation>تتعذّر قراءة الملف.</translation>
    </message>
    <message>
        <source>Column {name}: Left and Right choose another, with Shift they change its width, Enter fits all columns again</source>
        <translation>العمود {name}: السهمان الأيمن والأيسر يختاران غيره، ومع Shift يغيّران عرضه، وEnter يلائم كل الأعمدة من جديد</translation>
    </message>
    <message>
        <source>Previous match (Shift+Enter)</source>
        <translation>النتيجة السابقة (Shift+Enter)</translation>
    </message>
    <message>
        <source>Next match (Enter)</source>
        <translation>النتيجة التالية (Enter)</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>إغلاق (Esc)</translation>
    </message>
    <message>
        <source>{number} of {count}+</source>
        <translation>{number} من {count}+</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} من {count}</translation>
    </message>
    <message>
        <source>{count}+ found</source>
        <translation>عُثر على {count}+</translation>
    </message>
    <message>
        <source>Match {place}</source>
        <translation>النتيجة {place}</translation>
    </message>
    <message numerus="yes">
        <source>{count} found, match {place}</source>
        <comment>{count} found, match {place}</comment>
        <translation>
            <numerusform>لا نتائج، النتيجة {place}</numerusform>
            <numerusform>نتيجة واحدة، النتيجة {place}</numerusform>
            <numerusform>نتيجتان، النتيجة {place}</numerusform>
            <numerusform>{count} نتائج، النتيجة {place}</numerusform>
            <numerusform>{count} نتيجة، النتيجة {place}</numerusform>
            <numerusform>{count} نتيجة، النتيجة {place}</numerusform>
        </translation>
    </message>
    <message>
        <source>{action}: {reason}</source>
        <translation>{action}: {reason}</translation>
    </message>
    <message>
        <source>New file</source>
        <translation>ملف جديد</translation>
    </message>
    <message>
        <source>Change to a file</source>
        <translation>تغيير على ملف</translation>
    </message>
    <message>
        <source>Removal of a file</source>
        <translation>إزالة ملف</translation>
    </message>
    <message>
        <source>Proposed</source>
        <translation>مقترح</translation>
    </message>
    <message>
        <source>Applied</source>
        <translation>مطبَّق</translation>
    </message>
    <message>
        <source>Rejected</source>
        <translation>مرفوض</translation>
    </message>
    <message>
        <source>Outdated: the file was changed since</source>
        <translation>قديم: تغيّر الملف منذ ذلك الحين</translation>
    </message>
    <message>
        <source>Applied; the file was changed since</source>
        <translation>مطبَّق؛ وتغيّر الملف منذ ذلك الحين</translation>
    </message>
    <message>
        <source>The project has no such folder here</source>
        <translation>ليس للمشروع مجلّد كهذا هنا</translation>
    </message>
    <message>
        <source>Proposed elsewhere, so it cannot be applied here</source>
        <translation>مقترح في مكان آخر، فلا يمكن تطبيقه هنا</translation>
    </message>
    <message>
        <source>Edit the change to {file}</source>
        <translation>تحرير التغيير على {file}</translation>
    </message>
    <message>
        <source>Apply…</source>
        <translation>تطبيق…</translation>
    </message>
    <message>
        <source>Apply the change to {file}</source>
        <translation>تطبيق التغيير على {file}</translation>
    </message>
    <message>
        <source>Reject the change to {file}</source>
        <translation>رفض التغيير على {file}</translation>
    </message>
    <message>
        <source>Undo the change to {file}</source>
        <translation>التراجع عن التغيير على {file}</translation>
    </message>
    <message>
        <source>its beginning</source>
        <translation>بدايته</translation>
    </message>
    <message>
        <source>Do not wrap lines</source>
        <translation>عدم التفاف الأسطر</translation>
    </message>
    <message>
        <source>Wrap lines</source>
        <translation>التفاف الأسطر</translation>
    </message>
    <message>
        <source>Open this page in your browser</source>
        <translation>فتح هذه الصفحة في متصفّحك</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} lines</source>
        <comment>Show the {count} line</comment>
        <translation>
            <numerusform>لا أسطر للعرض</numerusform>
            <numerusform>عرض السطر الوحيد</numerusform>
            <numerusform>عرض السطرين</numerusform>
            <numerusform>عرض كل الأسطر ({count})</numerusform>
            <numerusform>عرض كل الأسطر ({count})</numerusform>
            <numerusform>عرض كل الأسطر ({count})</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer lines</source>
        <translation>عرض أسطر أقل</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>نسخ الكود</translation>
    </message>
    <message>
        <source>Save code…</source>
        <translation>حفظ الكود…</translation>
    </message>
    <message>
        <source>Open code as artifact</source>
        <translation>فتح الكود كناتج</translation>
    </message>
    <message>
        <source>Copy {language} code</source>
        <translation>نسخ كود {language}</translation>
    </message>
    <message>
        <source>Save {language} code…</source>
        <translation>حفظ كود {language}…</translation>
    </message>
    <message>
        <source>Open {language} code as artifact</source>
        <translation>فتح كود {language} كناتج</translation>
    </message>
    <message>
        <source>Show picture</source>
        <translation>عرض الصورة</translation>
    </message>
    <message>
        <source>Show diagram</source>
        <translation>عرض الرسم التخطيطي</translation>
    </message>
    <message>
        <source>Show source</source>
        <translation>عرض المصدر</translation>
    </message>
    <message>
        <source>Markdown</source>
        <translation>Markdown</translation>
    </message>
    <message>
        <source>Document</source>
        <translation>مستند</translation>
    </message>
    <message>
        <source>Slides</source>
        <translation>شرائح عرض</translation>
    </message>
    <message>
        <source>Book</source>
        <translation>كتاب</translation>
    </message>
    <message>
        <source>Mail</source>
        <translation>رسالة بريد</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>file</comment>
        <translation>ملف مضغوط</translation>
    </message>
    <message>
        <source>is being fetched from the team</source>
        <translation>يجري جلبه من الفريق</translation>
    </message>
    <message>
        <source>missing on the team&apos;s server; tried again later</source>
        <translation>مفقود على خادم الفريق؛ تُعاد المحاولة لاحقًا</translation>
    </message>
    <message>
        <source>not sent</source>
        <translation>لم يُرسَل</translation>
    </message>
    <message>
        <source>sent in part</source>
        <translation>أُرسل جزء منه</translation>
    </message>
    <message>
        <source>Open {file}</source>
        <translation>فتح {file}</translation>
    </message>
    <message>
        <source>Save a copy of {file}</source>
        <translation>حفظ نسخة من {file}</translation>
    </message>
    <message>
        <source>Show in its folder: {file}</source>
        <translation>إظهار في مجلّده: {file}</translation>
    </message>
    <message>
        <source>Copy {file}</source>
        <translation>نسخ {file}</translation>
    </message>
    <message>
        <source>Open as artifact: {file}</source>
        <translation>فتح كناتج: {file}</translation>
    </message>
    <message>
        <source>{format} file</source>
        <translation>ملف {format}</translation>
    </message>
    <message>
        <source>Hide {name}</source>
        <translation>إخفاء {name}</translation>
    </message>
    <message>
        <source>Show {name}</source>
        <translation>إظهار {name}</translation>
    </message>
    <message>
        <source>asked by {name}</source>
        <translation>سأله {name}</translation>
    </message>
    <message>
        <source>Load image from {host}</source>
        <translation>تحميل الصورة من {host}</translation>
    </message>
    <message>
        <source>Load image from {host} in your own network</source>
        <translation>تحميل الصورة من {host} في شبكتك الخاصة</translation>
    </message>
    <message>
        <source>Load it anyway</source>
        <translation>تحميلها على أي حال</translation>
    </message>
    <message>
        <source>Load image</source>
        <translation>تحميل الصورة</translation>
    </message>
    <message>
        <source>from {host}</source>
        <translation>من {host}</translation>
    </message>
    <message>
        <source>not shown</source>
        <translation>غير معروضة</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages ends here · out of date and not sent · Show</source>
        <comment>Summary of {count} message ends here · out of date and not sent · Show</comment>
        <translation>
            <numerusform>ملخّص بلا رسائل ينتهي هنا · قديم ولا يُرسَل · عرض</numerusform>
            <numerusform>ملخّص رسالة واحدة ينتهي هنا · قديم ولا يُرسَل · عرض</numerusform>
            <numerusform>ملخّص رسالتين ينتهي هنا · قديم ولا يُرسَل · عرض</numerusform>
            <numerusform>ملخّص {count} رسائل ينتهي هنا · قديم ولا يُرسَل · عرض</numerusform>
            <numerusform>ملخّص {count} رسالة ينتهي هنا · قديم ولا يُرسَل · عرض</numerusform>
            <numerusform>ملخّص {count} رسالة ينتهي هنا · قديم ولا يُرسَل · عرض</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages, out of date and not sent</source>
        <comment>Show the summary of {count} message, out of date and not sent</comment>
        <translation>
            <numerusform>عرض الملخّص، قديم ولا يُرسَل</numerusform>
            <numerusform>عرض ملخّص رسالة واحدة، قديم ولا يُرسَل</numerusform>
            <numerusform>عرض ملخّص رسالتين، قديم ولا يُرسَل</numerusform>
            <numerusform>عرض ملخّص {count} رسائل، قديم ولا يُرسَل</numerusform>
            <numerusform>عرض ملخّص {count} رسالة، قديم ولا يُرسَل</numerusform>
            <numerusform>عرض ملخّص {count} رسالة، قديم ولا يُرسَل</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarised up to here · {count} messages · Show</source>
        <comment>Summarised up to here · {count} message · Show</comment>
        <translation>
            <numerusform>مُلخَّص حتى هنا · لا رسائل · عرض</numerusform>
            <numerusform>مُلخَّص حتى هنا · رسالة واحدة · عرض</numerusform>
            <numerusform>مُلخَّص حتى هنا · رسالتان · عرض</numerusform>
            <numerusform>مُلخَّص حتى هنا · {count} رسائل · عرض</numerusform>
            <numerusform>مُلخَّص حتى هنا · {count} رسالة · عرض</numerusform>
            <numerusform>مُلخَّص حتى هنا · {count} رسالة · عرض</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages up to here</source>
        <comment>Show the summary of {count} message up to here</comment>
        <translation>
            <numerusform>عرض الملخّص حتى هنا</numerusform>
            <numerusform>عرض ملخّص رسالة واحدة حتى هنا</numerusform>
            <numerusform>عرض ملخّص رسالتين حتى هنا</numerusform>
            <numerusform>عرض ملخّص {count} رسائل حتى هنا</numerusform>
            <numerusform>عرض ملخّص {count} رسالة حتى هنا</numerusform>
            <numerusform>عرض ملخّص {count} رسالة حتى هنا</numerusform>
        </translation>
    </message>
    <message>
        <source>Note, which the model sees</source>
        <translation>ملاحظة، يراها النموذج</translation>
    </message>
    <message>
        <source>Note, pinned into the context</source>
        <translation>ملاحظة، مثبّتة في السياق</translation>
    </message>
    <message>
        <source>Note, not sent to the model</source>
        <translation>ملاحظة، لا تُرسَل إلى النموذج</translation>
    </message>
    <message>
        <source>Edited by {person}, pinned into the context</source>
        <translation>حرّرها {person}، مثبّتة في السياق</translation>
    </message>
    <message>
        <source>Edited by {person}, excluded from the context</source>
        <translation>حرّرها {person}، مستبعدة من السياق</translation>
    </message>
    <message>
        <source>Edited by {person}</source>
        <translation>حرّرها {person}</translation>
    </message>
    <message>
        <source>Wide formula: Left and Right move it</source>
        <translation>معادلة عريضة: السهمان الأيمن والأيسر يحرّكانها</translation>
    </message>
    <message>
        <source>Trying again…</source>
        <translation>جارٍ إعادة المحاولة…</translation>
    </message>
    <message>
        <source>Trying again in {time} (attempt {attempt}).</source>
        <translation>إعادة المحاولة بعد {time} (المحاولة {attempt}).</translation>
    </message>
    <message>
        <source>This picture is being fetched from the team.</source>
        <translation>يجري جلب هذه الصورة من الفريق.</translation>
    </message>
    <message>
        <source>This picture is missing on the team&apos;s server. ChatDesk tries again later.</source>
        <translation>هذه الصورة مفقودة على خادم الفريق. يعيد ChatDesk المحاولة لاحقًا.</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>نسخ الجدول</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} rows</source>
        <comment>Show the {count} row</comment>
        <translation>
            <numerusform>لا صفوف للعرض</numerusform>
            <numerusform>عرض الصف الوحيد</numerusform>
            <numerusform>عرض الصفين</numerusform>
            <numerusform>عرض كل الصفوف ({count})</numerusform>
            <numerusform>عرض كل الصفوف ({count})</numerusform>
            <numerusform>عرض كل الصفوف ({count})</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer rows</source>
        <translation>عرض صفوف أقل</translation>
    </message>
    <message>
        <source>Waiting for {who}, {duration}</source>
        <translation>بانتظار {who}، {duration}</translation>
    </message>
    <message numerus="yes">
        <source>{count} new messages</source>
        <comment>{count} new message</comment>
        <translation>
            <numerusform>لا رسائل جديدة</numerusform>
            <numerusform>رسالة جديدة واحدة</numerusform>
            <numerusform>رسالتان جديدتان</numerusform>
            <numerusform>{count} رسائل جديدة</numerusform>
            <numerusform>{count} رسالة جديدة</numerusform>
            <numerusform>{count} رسالة جديدة</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to newest</source>
        <translation>الانتقال إلى الأحدث</translation>
    </message>
    <message>
        <source>Jump to newest, {new}</source>
        <translation>الانتقال إلى الأحدث، {new}</translation>
    </message>
    <message>
        <source>This question has no answer.</source>
        <translation>ليس لهذا السؤال إجابة.</translation>
    </message>
    <message>
        <source>More</source>
        <translation>المزيد</translation>
    </message>
    <message>
        <source>{count} from cache</source>
        <translation>{count} من المخبأ</translation>
    </message>
    <message>
        <source>{count} cached</source>
        <translation>{count} في المخبأ</translation>
    </message>
    <message>
        <source>you can only read this project</source>
        <translation>يمكنك قراءة هذا المشروع فقط</translation>
    </message>
    <message>
        <source>You</source>
        <translation>أنت</translation>
    </message>
    <message>
        <source>System</source>
        <translation>النظام</translation>
    </message>
    <message>
        <source>{moment}, as the author&apos;s computer says; it came to the team {accepted}</source>
        <translation>{moment} بحسب حاسوب الكاتب؛ ووصل إلى الفريق {accepted}</translation>
    </message>
    <message>
        <source>version {number} of {count}, by {person}</source>
        <translation>النسخة {number} من {count}، من {person}</translation>
    </message>
    <message>
        <source>{person} wrote this</source>
        <translation>كتب {person} هذا</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>المحاولة الآن</translation>
    </message>
    <message>
        <source>Choose another model…</source>
        <translation>اختيار نموذج آخر…</translation>
    </message>
    <message>
        <source>Choose a larger model…</source>
        <translation>اختيار نموذج أكبر…</translation>
    </message>
    <message>
        <source>Edit the message</source>
        <translation>تحرير الرسالة</translation>
    </message>
    <message>
        <source>Shorten</source>
        <translation>اختصار</translation>
    </message>
    <message>
        <source>Change the key…</source>
        <translation>تغيير المفتاح…</translation>
    </message>
    <message>
        <source>Check the key…</source>
        <translation>التحقّق من المفتاح…</translation>
    </message>
    <message>
        <source>Open the provider…</source>
        <translation>فتح المزوّد…</translation>
    </message>
    <message>
        <source>Choose a larger model</source>
        <translation>اختيار نموذج أكبر</translation>
    </message>
    <message>
        <source>Send without the image</source>
        <translation>إرسال من دون الصورة</translation>
    </message>
    <message>
        <source>Send as attachment excerpt</source>
        <translation>إرسال كمقتطف مرفق</translation>
    </message>
    <message>
        <source>Edit the system prompt</source>
        <translation>تحرير موجِّه النظام</translation>
    </message>
    <message>
        <source>Include it and ask</source>
        <translation>تضمينه والسؤال</translation>
    </message>
    <message>
        <source>Send anyway once</source>
        <translation>إرسال على أي حال مرة واحدة</translation>
    </message>
    <message>
        <source>Raise limit…</source>
        <translation>رفع الحدّ…</translation>
    </message>
    <message>
        <source>Something went wrong. Your message is kept.</source>
        <translation>حدث خطأ ما. رسالتك محفوظة.</translation>
    </message>
    <message>
        <source>{person} stopped this answer.</source>
        <translation>أوقف {person} هذه الإجابة.</translation>
    </message>
    <message>
        <source>You stopped this answer.</source>
        <translation>أوقفت هذه الإجابة.</translation>
    </message>
    <message>
        <source>The answer reached its maximum length.</source>
        <translation>بلغت الإجابة أقصى طول لها.</translation>
    </message>
    <message>
        <source>ChatDesk of {person} was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>أُغلق ChatDesk لدى {person} قبل اكتمال هذه الإجابة. كل ما وصل محفوظ.</translation>
    </message>
    <message>
        <source>ChatDesk was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>أُغلق ChatDesk قبل اكتمال هذه الإجابة. كل ما وصل محفوظ.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk was closed while {count} calls waited for your approval. Nothing was run.</source>
        <comment>ChatDesk was closed while {count} call waited for your approval. Nothing was run.</comment>
        <translation>
            <numerusform>أُغلق ChatDesk ولا استدعاءات تنتظر.</numerusform>
            <numerusform>أُغلق ChatDesk بينما كان استدعاء واحد ينتظر موافقتك. لم يُشغَّل شيء.</numerusform>
            <numerusform>أُغلق ChatDesk بينما كان استدعاءان ينتظران موافقتك. لم يُشغَّل شيء.</numerusform>
            <numerusform>أُغلق ChatDesk بينما كانت {count} استدعاءات تنتظر موافقتك. لم يُشغَّل شيء.</numerusform>
            <numerusform>أُغلق ChatDesk بينما كان {count} استدعاءً ينتظر موافقتك. لم يُشغَّل شيء.</numerusform>
            <numerusform>أُغلق ChatDesk بينما كان {count} استدعاء ينتظر موافقتك. لم يُشغَّل شيء.</numerusform>
        </translation>
    </message>
    <message>
        <source>Decide…</source>
        <translation>البتّ…</translation>
    </message>
    <message>
        <source>ChatDesk ended while {tool} ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <translation>انتهى ChatDesk أثناء عمل {tool}. لا أحد يعلم ما فعلته، ولا يُكرَّر ذلك ما لم تطلبه.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk ended while {count} calls ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <comment>ChatDesk ended while {count} call ran. Nobody knows what it did, and it is not repeated unless you say so.</comment>
        <translation>
            <numerusform>انتهى ChatDesk ولا استدعاءات تعمل.</numerusform>
            <numerusform>انتهى ChatDesk أثناء عمل استدعاء واحد. لا أحد يعلم ما فعله، ولا يُكرَّر ما لم تطلب ذلك.</numerusform>
            <numerusform>انتهى ChatDesk أثناء عمل استدعاءين. لا أحد يعلم ما فعلاه، ولا يُكرَّران ما لم تطلب ذلك.</numerusform>
            <numerusform>انتهى ChatDesk أثناء عمل {count} استدعاءات. لا أحد يعلم ما فعلته، ولا تُكرَّر ما لم تطلب ذلك.</numerusform>
            <numerusform>انتهى ChatDesk أثناء عمل {count} استدعاءً. لا أحد يعلم ما فعلته، ولا تُكرَّر ما لم تطلب ذلك.</numerusform>
            <numerusform>انتهى ChatDesk أثناء عمل {count} استدعاء. لا أحد يعلم ما فعلته، ولا تُكرَّر ما لم تطلب ذلك.</numerusform>
        </translation>
    </message>
    <message>
        <source>Run again…</source>
        <translation>تشغيل من جديد…</translation>
    </message>
    <message>
        <source>Try at {time}</source>
        <translation>المحاولة الساعة {time}</translation>
    </message>
    <message>
        <source>This text has more than 1 MB, so it is not formatted. Copy it to read it elsewhere.</source>
        <translation>هذا النص أكبر من ١ م.ب، لذا لا يُنسَّق. انسخه لتقرأه في مكان آخر.</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>يفكّر…</translation>
    </message>
    <message>
        <source>Thought for {time}</source>
        <translation>فكّر مدة {time}</translation>
    </message>
    <message>
        <source>It is on its way…</source>
        <translation>هو في الطريق…</translation>
    </message>
    <message>
        <source>{name}: {state}</source>
        <translation>{name}: {state}</translation>
    </message>
    <message>
        <source>under a second</source>
        <translation>أقل من ثانية</translation>
    </message>
    <message>
        <source>pinned into the context</source>
        <translation>مثبّتة في السياق</translation>
    </message>
    <message>
        <source>excluded from the context</source>
        <translation>مستبعدة من السياق</translation>
    </message>
    <message numerus="yes">
        <source>{count} code blocks</source>
        <comment>{count} code block</comment>
        <translation>
            <numerusform>لا مقاطع كود</numerusform>
            <numerusform>مقطع كود واحد</numerusform>
            <numerusform>مقطعا كود</numerusform>
            <numerusform>{count} مقاطع كود</numerusform>
            <numerusform>{count} مقطع كود</numerusform>
            <numerusform>{count} مقطع كود</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tables</source>
        <comment>{count} table</comment>
        <translation>
            <numerusform>لا جداول</numerusform>
            <numerusform>جدول واحد</numerusform>
            <numerusform>جدولان</numerusform>
            <numerusform>{count} جداول</numerusform>
            <numerusform>{count} جدولًا</numerusform>
            <numerusform>{count} جدول</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} formulas</source>
        <comment>{count} formula</comment>
        <translation>
            <numerusform>لا معادلات</numerusform>
            <numerusform>معادلة واحدة</numerusform>
            <numerusform>معادلتان</numerusform>
            <numerusform>{count} معادلات</numerusform>
            <numerusform>{count} معادلة</numerusform>
            <numerusform>{count} معادلة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} images</source>
        <comment>{count} image</comment>
        <translation>
            <numerusform>لا صور</numerusform>
            <numerusform>صورة واحدة</numerusform>
            <numerusform>صورتان</numerusform>
            <numerusform>{count} صور</numerusform>
            <numerusform>{count} صورة</numerusform>
            <numerusform>{count} صورة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} diagrams</source>
        <comment>{count} diagram</comment>
        <translation>
            <numerusform>لا رسوم تخطيطية</numerusform>
            <numerusform>رسم تخطيطي واحد</numerusform>
            <numerusform>رسمان تخطيطيان</numerusform>
            <numerusform>{count} رسوم تخطيطية</numerusform>
            <numerusform>{count} رسمًا تخطيطيًا</numerusform>
            <numerusform>{count} رسم تخطيطي</numerusform>
        </translation>
    </message>
    <message>
        <source>bullet</source>
        <translation>نقطة تعداد</translation>
    </message>
    <message>
        <source>not done</source>
        <translation>غير منجز</translation>
    </message>
    <message>
        <source>done</source>
        <translation>منجز</translation>
    </message>
    <message>
        <source>definition</source>
        <translation>تعريف</translation>
    </message>
    <message>
        <source>edited by {person}</source>
        <translation>حرّرها {person}</translation>
    </message>
    <message>
        <source>asked by {person}</source>
        <translation>سألها {person}</translation>
    </message>
    <message>
        <source>message {number} of {count}</source>
        <translation>الرسالة {number} من {count}</translation>
    </message>
    <message>
        <source>note</source>
        <translation>ملاحظة</translation>
    </message>
    <message>
        <source>part {number} of {count}</source>
        <translation>الجزء {number} من {count}</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines</source>
        <comment>{count} line</comment>
        <translation>
            <numerusform>لا أسطر</numerusform>
            <numerusform>سطر واحد</numerusform>
            <numerusform>سطران</numerusform>
            <numerusform>{count} أسطر</numerusform>
            <numerusform>{count} سطرًا</numerusform>
            <numerusform>{count} سطر</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Table, {count} columns</source>
        <comment>Table, {count} column</comment>
        <translation>
            <numerusform>جدول بلا أعمدة</numerusform>
            <numerusform>جدول، عمود واحد</numerusform>
            <numerusform>جدول، عمودان</numerusform>
            <numerusform>جدول، {count} أعمدة</numerusform>
            <numerusform>جدول، {count} عمودًا</numerusform>
            <numerusform>جدول، {count} عمود</numerusform>
        </translation>
    </message>
    <message>
        <source>{table}, rows {first} to {last} of {count}</source>
        <translation>{table}، الصفوف {first} إلى {last} من {count}</translation>
    </message>
    <message>
        <source>Back to the text</source>
        <translation>رجوع إلى النص</translation>
    </message>
    <message>
        <source>Footnote {number}</source>
        <translation>الحاشية {number}</translation>
    </message>
    <message>
        <source>{author} is answering</source>
        <translation>{author} يجيب</translation>
    </message>
    <message>
        <source>{author} has answered</source>
        <translation>أجاب {author}</translation>
    </message>
    <message>
        <source>The answer was stopped</source>
        <translation>أُوقفت الإجابة</translation>
    </message>
    <message>
        <source>The answer is not complete</source>
        <translation>الإجابة غير مكتملة</translation>
    </message>
    <message>
        <source>Image, {alt}</source>
        <translation>صورة، {alt}</translation>
    </message>
    <message>
        <source>day</source>
        <translation>اليوم</translation>
    </message>
    <message>
        <source>week</source>
        <translation>الأسبوع</translation>
    </message>
    <message>
        <source>month</source>
        <translation>الشهر</translation>
    </message>
    <message>
        <source>model</source>
        <translation>النموذج</translation>
    </message>
    <message>
        <source>project</source>
        <translation>المشروع</translation>
    </message>
    <message>
        <source>kind</source>
        <translation>النوع</translation>
    </message>
    <message>
        <source>Chart of usage</source>
        <translation>مخطط الاستخدام</translation>
    </message>
    <message>
        <source>Chart of {measure} by {rows}</source>
        <translation>مخطط {measure} حسب {rows}</translation>
    </message>
    <message>
        <source>Arrow keys go from bar to bar; the table below has the same numbers.</source>
        <translation>مفاتيح الأسهم تنتقل من عمود إلى عمود؛ والجدول أدناه فيه الأرقام نفسها.</translation>
    </message>
    <message>
        <source>{row}: {amount}</source>
        <translation>{row}: {amount}</translation>
    </message>
    <message>
        <source>No requests in these days.</source>
        <translation>لا طلبات في هذه الأيام.</translation>
    </message>
    <message numerus="yes">
        <source>In all {amount} in {count} rows. The largest is {row} with {most}.</source>
        <comment>In all {amount} in {count} row. The largest is {row} with {most}.</comment>
        <translation>
            <numerusform>المجموع {amount} بلا صفوف. الأكبر {row} وفيه {most}.</numerusform>
            <numerusform>المجموع {amount} في صف واحد. الأكبر {row} وفيه {most}.</numerusform>
            <numerusform>المجموع {amount} في صفين. الأكبر {row} وفيه {most}.</numerusform>
            <numerusform>المجموع {amount} في {count} صفوف. الأكبر {row} وفيه {most}.</numerusform>
            <numerusform>المجموع {amount} في {count} صفًا. الأكبر {row} وفيه {most}.</numerusform>
            <numerusform>المجموع {amount} في {count} صف. الأكبر {row} وفيه {most}.</numerusform>
        </translation>
    </message>
    <message>
        <source>no price known</source>
        <translation>لا سعر معروف</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens in {requests}.</source>
        <comment>About {count} token in {requests}.</comment>
        <translation>
            <numerusform>لا رموز في {requests}.</numerusform>
            <numerusform>نحو رمز واحد في {requests}.</numerusform>
            <numerusform>نحو رمزين في {requests}.</numerusform>
            <numerusform>نحو {count} رموز في {requests}.</numerusform>
            <numerusform>نحو {count} رمزًا في {requests}.</numerusform>
            <numerusform>نحو {count} رمز في {requests}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens in {requests}.</source>
        <comment>{count} token in {requests}.</comment>
        <translation>
            <numerusform>لا رموز في {requests}.</numerusform>
            <numerusform>رمز واحد في {requests}.</numerusform>
            <numerusform>رمزان في {requests}.</numerusform>
            <numerusform>{count} رموز في {requests}.</numerusform>
            <numerusform>{count} رمزًا في {requests}.</numerusform>
            <numerusform>{count} رمز في {requests}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Week of {day}</source>
        <translation>أسبوع {day}</translation>
    </message>
    <message>
        <source>{weekday}, {day}</source>
        <translation>{weekday}، {day}</translation>
    </message>
    <message>
        <source>cost</source>
        <translation>التكلفة</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>الطلبات</translation>
    </message>
    <message>
        <source>requests</source>
        <translation>الطلبات</translation>
    </message>
    <message>
        <source>7 days</source>
        <translation>٧ أيام</translation>
    </message>
    <message>
        <source>All</source>
        <translation>الكل</translation>
    </message>
    <message>
        <source>Own days</source>
        <translation>أيام مخصّصة</translation>
    </message>
    <message>
        <source>By day</source>
        <translation>حسب اليوم</translation>
    </message>
    <message>
        <source>By model</source>
        <translation>حسب النموذج</translation>
    </message>
    <message>
        <source>By project</source>
        <translation>حسب المشروع</translation>
    </message>
    <message>
        <source>By kind</source>
        <translation>حسب النوع</translation>
    </message>
    <message>
        <source>Days</source>
        <comment>period</comment>
        <translation>الفترة</translation>
    </message>
    <message>
        <source>First day</source>
        <translation>اليوم الأول</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>اليوم الأخير</translation>
    </message>
    <message>
        <source>What the bars show</source>
        <translation>ما تعرضه الأعمدة</translation>
    </message>
    <message>
        <source>Export CSV…</source>
        <translation>تصدير CSV…</translation>
    </message>
    <message>
        <source>Cost: {cost}.</source>
        <translation>التكلفة: {cost}.</translation>
    </message>
    <message>
        <source>No price is known for these models.</source>
        <translation>لا سعر معروف لهذه النماذج.</translation>
    </message>
    <message numerus="yes">
        <source>≈: the tokens of {count} requests are estimates.</source>
        <comment>≈: the tokens of {count} request are estimates.</comment>
        <translation>
            <numerusform>≈: لا رموز تقديرية.</numerusform>
            <numerusform>≈: رموز طلب واحد تقديرية.</numerusform>
            <numerusform>≈: رموز طلبين تقديرية.</numerusform>
            <numerusform>≈: رموز {count} طلبات تقديرية.</numerusform>
            <numerusform>≈: رموز {count} طلبًا تقديرية.</numerusform>
            <numerusform>≈: رموز {count} طلب تقديرية.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>No price is known for {count} requests; the cost leaves them out.</source>
        <comment>No price is known for {count} request; the cost leaves them out.</comment>
        <translation>
            <numerusform>السعر معروف لكل الطلبات.</numerusform>
            <numerusform>لا سعر معروف لطلب واحد؛ ولا تشمله التكلفة.</numerusform>
            <numerusform>لا سعر معروف لطلبين؛ ولا تشملهما التكلفة.</numerusform>
            <numerusform>لا سعر معروف لـ {count} طلبات؛ ولا تشملها التكلفة.</numerusform>
            <numerusform>لا سعر معروف لـ {count} طلبًا؛ ولا تشملها التكلفة.</numerusform>
            <numerusform>لا سعر معروف لـ {count} طلب؛ ولا تشملها التكلفة.</numerusform>
        </translation>
    </message>
    <message>
        <source>Tokens in</source>
        <translation>الرموز الداخلة</translation>
    </message>
    <message>
        <source>From cache</source>
        <translation>من المخبأ</translation>
    </message>
    <message>
        <source>Of them read from the provider&apos;s cache</source>
        <translation>منها ما قُرئ من مخبأ المزوّد</translation>
    </message>
    <message>
        <source>Of them written to the provider&apos;s cache</source>
        <translation>منها ما كُتب في مخبأ المزوّد</translation>
    </message>
    <message>
        <source>Tokens out</source>
        <translation>الرموز الخارجة</translation>
    </message>
    <message>
        <source>Week</source>
        <translation>أسبوع</translation>
    </message>
    <message>
        <source>Month</source>
        <translation>شهر</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>يوم</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>النوع</translation>
    </message>
    <message>
        <source>Usage as a table</source>
        <translation>الاستخدام كجدول</translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation>إغلاق هذا الإشعار</translation>
    </message>
    <message>
        <source>{percent}%</source>
        <translation>{percent}%</translation>
    </message>
    <message>
        <source>nearly full</source>
        <translation>شبه ممتلئ</translation>
    </message>
    <message>
        <source>filling up</source>
        <translation>يمتلئ</translation>
    </message>
    <message>
        <source>Context used: {percentage}</source>
        <translation>السياق المستخدم: {percentage}</translation>
    </message>
    <message>
        <source>Context of this thread</source>
        <translation>سياق هذه المحادثة</translation>
    </message>
    <message>
        <source>How full the context is</source>
        <translation>كم امتلأ السياق</translation>
    </message>
    <message>
        <source>Show what is sent</source>
        <translation>عرض ما يُرسَل</translation>
    </message>
    <message>
        <source>Explain a stack trace</source>
        <translation>شرح تتبّع المكدّس</translation>
    </message>
    <message>
        <source>Paste it; get the cause and the fix</source>
        <translation>ألصقه؛ واحصل على السبب والحل</translation>
    </message>
    <message>
        <source>Explain this error. What causes it, and how do I fix it?

</source>
        <translation>اشرح هذا الخطأ. ما سببه، وكيف أصلحه؟

</translation>
    </message>
    <message>
        <source>Summarise a document</source>
        <translation>تلخيص مستند</translation>
    </message>
    <message>
        <source>Drop a PDF or a text file</source>
        <translation>أفلت ملف PDF أو ملفًا نصيًا</translation>
    </message>
    <message>
        <source>Summarise this document: the main points first, then what is left open.</source>
        <translation>لخّص هذا المستند: النقاط الرئيسية أولًا، ثم ما بقي مفتوحًا.</translation>
    </message>
    <message>
        <source>Make a comparison table</source>
        <translation>إنشاء جدول مقارنة</translation>
    </message>
    <message>
        <source>Options against criteria</source>
        <translation>الخيارات مقابل المعايير</translation>
    </message>
    <message>
        <source>Compare these options in a table, by cost, effort and risk:
- </source>
        <translation>قارن هذه الخيارات في جدول، حسب التكلفة والجهد والمخاطرة:
- </translation>
    </message>
    <message>
        <source>From a ChatGPT or Claude export</source>
        <translation>من ملف مصدَّر من ChatGPT أو Claude</translation>
    </message>
    <message>
        <source>What ChatDesk can do</source>
        <translation>ما يستطيع ChatDesk فعله</translation>
    </message>
    <message>
        <source>See an answer</source>
        <translation>مشاهدة إجابة</translation>
    </message>
    <message>
        <source>With code, a table and a formula</source>
        <translation>مع كود وجدول ومعادلة</translation>
    </message>
    <message>
        <source>A key, or a server of your own</source>
        <translation>مفتاح، أو خادم خاص بك</translation>
    </message>
    <message>
        <source>See what goes with it, and save it</source>
        <translation>انظر ما يرافقه، واحفظه</translation>
    </message>
    <message>
        <source>Nothing is changed</source>
        <translation>لا يتغيّر شيء</translation>
    </message>
    <message>
        <source>See what is in it first</source>
        <translation>انظر ما فيه أولًا</translation>
    </message>
    <message>
        <source>What are you working on?</source>
        <translation>علامَ تعمل؟</translation>
    </message>
    <message>
        <source>Your threads could not be opened</source>
        <translation>تعذّر فتح محادثاتك</translation>
    </message>
    <message>
        <source>Opening your threads…</source>
        <translation>جارٍ فتح محادثاتك…</translation>
    </message>
    <message>
        <source>If you restore a backup, the database as it is now is kept.</source>
        <translation>إن استعدت نسخة احتياطية، تُحفظ قاعدة البيانات كما هي الآن.</translation>
    </message>
    <message>
        <source>{size} KB</source>
        <translation>{size} ك.ب</translation>
    </message>
    <message>
        <source>{size} MB</source>
        <translation>{size} م.ب</translation>
    </message>
    <message>
        <source>{first} is typing…</source>
        <translation>{first} يكتب…</translation>
    </message>
    <message>
        <source>{first} and {second} are typing…</source>
        <translation>{first} و{second} يكتبان…</translation>
    </message>
    <message numerus="yes">
        <source>{count} people are typing…</source>
        <comment>{count} person is typing…</comment>
        <translation>
            <numerusform>لا أحد يكتب…</numerusform>
            <numerusform>شخص واحد يكتب…</numerusform>
            <numerusform>شخصان يكتبان…</numerusform>
            <numerusform>{count} أشخاص يكتبون…</numerusform>
            <numerusform>{count} شخصًا يكتبون…</numerusform>
            <numerusform>{count} شخص يكتبون…</numerusform>
        </translation>
    </message>
    <message>
        <source>Here now: {names}</source>
        <translation>هنا الآن: {names}</translation>
    </message>
    <message>
        <source>Temporary</source>
        <translation>مؤقتة</translation>
    </message>
    <message>
        <source>Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it.</source>
        <translation>لا يُخزَّن شيء من هذه الدردشة. وتزول عندما يُغلق ChatDesk، ما لم تحتفظ بها.</translation>
    </message>
    <message>
        <source>Store this chat with all its messages</source>
        <translation>تخزين هذه الدردشة بكل رسائلها</translation>
    </message>
    <message>
        <source>Keep this chat</source>
        <translation>الاحتفاظ بهذه الدردشة</translation>
    </message>
    <message>
        <source>Temporary. {meaning}</source>
        <translation>مؤقتة. {meaning}</translation>
    </message>
    <message>
        <source>Thread header</source>
        <translation>رأس المحادثة</translation>
    </message>
    <message>
        <source>Show the sidebar</source>
        <translation>إظهار الشريط الجانبي</translation>
    </message>
    <message>
        <source>Questions of this thread</source>
        <translation>أسئلة هذه المحادثة</translation>
    </message>
    <message>
        <source>More about this thread</source>
        <translation>المزيد عن هذه المحادثة</translation>
    </message>
    <message>
        <source>Close this chat</source>
        <translation>إغلاق هذه الدردشة</translation>
    </message>
    <message>
        <source>Thread title</source>
        <translation>عنوان المحادثة</translation>
    </message>
    <message>
        <source>Paste your API key</source>
        <translation>ألصق مفتاح API</translation>
    </message>
    <message>
        <source>Show the key</source>
        <translation>إظهار المفتاح</translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation>إخفاء المفتاح</translation>
    </message>
    <message>
        <source>Opens {url} in the browser.</source>
        <translation>يفتح {url} في المتصفّح.</translation>
    </message>
    <message>
        <source>{others} and {last}</source>
        <translation>{others} و{last}</translation>
    </message>
    <message>
        <source>, </source>
        <translation>، </translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>اختيار نموذج</translation>
    </message>
    <message>
        <source>Up and Down move, Enter chooses, Ctrl+D marks a favourite.</source>
        <translation>السهمان لأعلى ولأسفل يتنقّلان، وEnter يختار، وCtrl+D يعلّم مفضّلًا.</translation>
    </message>
    <message>
        <source>Fetch the lists of models again</source>
        <translation>جلب قوائم النماذج من جديد</translation>
    </message>
    <message>
        <source>Add provider…</source>
        <translation>إضافة مزوّد…</translation>
    </message>
    <message>
        <source>No model matches.</source>
        <translation>لا نموذج مطابق.</translation>
    </message>
    <message>
        <source>There is no model yet. Add a provider.</source>
        <translation>لا يوجد نموذج بعد. أضف مزوّدًا.</translation>
    </message>
    <message>
        <source>Marked as a favourite</source>
        <translation>عُلّم مفضّلًا</translation>
    </message>
    <message>
        <source>No longer a favourite</source>
        <translation>لم يعد مفضّلًا</translation>
    </message>
    <message>
        <source>Model: {text}</source>
        <translation>النموذج: {text}</translation>
    </message>
    <message>
        <source>{text}: choose another model</source>
        <translation>{text}: اختيار نموذج آخر</translation>
    </message>
    <message>
        <source>Favourites</source>
        <translation>المفضّلة</translation>
    </message>
    <message>
        <source>favourite</source>
        <translation>مفضّل</translation>
    </message>
    <message>
        <source>chosen</source>
        <translation>مختار</translation>
    </message>
    <message>
        <source>Find a project</source>
        <translation>البحث عن مشروع</translation>
    </message>
    <message>
        <source>open</source>
        <translation>مفتوح</translation>
    </message>
    <message>
        <source>No project matches.</source>
        <translation>لا مشروع مطابق.</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>مسح البحث</translation>
    </message>
    <message>
        <source>Border between the two chats</source>
        <translation>الحدّ بين الدردشتين</translation>
    </message>
    <message>
        <source>Chat at the left</source>
        <translation>الدردشة اليسرى</translation>
    </message>
    <message>
        <source>Chat at the right</source>
        <translation>الدردشة اليمنى</translation>
    </message>
    <message>
        <source>Active: commands act here</source>
        <translation>نشطة: تعمل الأوامر هنا</translation>
    </message>
    <message>
        <source>Chats of this window</source>
        <translation>دردشات هذه النافذة</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>شريط القوائم</translation>
    </message>
    <message>
        <source>Show the menu bar</source>
        <translation>إظهار شريط القوائم</translation>
    </message>
    <message>
        <source>Hide the menu bar</source>
        <translation>إخفاء شريط القوائم</translation>
    </message>
    <message>
        <source>Hide the sidebar</source>
        <translation>إخفاء الشريط الجانبي</translation>
    </message>
    <message>
        <source>The sidebar is shown</source>
        <translation>الشريط الجانبي ظاهر</translation>
    </message>
    <message>
        <source>The sidebar is hidden</source>
        <translation>الشريط الجانبي مخفي</translation>
    </message>
    <message>
        <source>{title} – ChatDesk</source>
        <translation>{title} – ChatDesk</translation>
    </message>
    <message>
        <source>usage: </source>
        <translation>الاستخدام: </translation>
    </message>
    <message>
        <source>positional arguments</source>
        <translation>المعطيات</translation>
    </message>
    <message>
        <source>options</source>
        <translation>الخيارات</translation>
    </message>
    <message>
        <source>show this help message and exit</source>
        <translation>عرض هذه المساعدة والخروج</translation>
    </message>
    <message>
        <source>show program&apos;s version number and exit</source>
        <translation>عرض إصدار البرنامج والخروج</translation>
    </message>
    <message>
        <source>%(prog)s: error: %(message)s
</source>
        <translation>%(prog)s: خطأ: %(message)s
</translation>
    </message>
    <message>
        <source>argument %(argument_name)s: %(message)s</source>
        <translation>المعطى %(argument_name)s: %(message)s</translation>
    </message>
    <message>
        <source>the following arguments are required: %s</source>
        <translation>هذه المعطيات مطلوبة: %s</translation>
    </message>
    <message>
        <source>one of the arguments %s is required</source>
        <translation>أحد هذه المعطيات مطلوب: %s</translation>
    </message>
    <message>
        <source>expected one argument</source>
        <translation>يلزم قيمة واحدة</translation>
    </message>
    <message>
        <source>expected at most one argument</source>
        <translation>يلزم قيمة واحدة على الأكثر</translation>
    </message>
    <message>
        <source>expected at least one argument</source>
        <translation>يلزم قيمة واحدة على الأقل</translation>
    </message>
    <message>
        <source>invalid choice: %(value)r (choose from %(choices)s)</source>
        <translation>اختيار غير صالح: %(value)r (اختر من %(choices)s)</translation>
    </message>
    <message>
        <source>invalid %(type)s value: %(value)r</source>
        <translation>قيمة غير صالحة (%(type)s): %(value)r</translation>
    </message>
    <message>
        <source>unrecognized arguments: %s</source>
        <translation>معطيات غير معروفة: %s</translation>
    </message>
    <message>
        <source>not allowed with argument %s</source>
        <translation>غير مسموح مع المعطى %s</translation>
    </message>
    <message>
        <source>ambiguous option: %(option)s could match %(matches)s</source>
        <translation>خيار ملتبس: قد يعني %(option)s أيًّا من %(matches)s</translation>
    </message>
    <message>
        <source>ignored explicit argument %r</source>
        <translation>قيمة غير متوقعة: %r</translation>
    </message>
    <message numerus="yes">
        <source>expected %s arguments</source>
        <comment>expected %s argument</comment>
        <translation>
            <numerusform>لا تلزم قيمة (%s)</numerusform>
            <numerusform>تلزم %s قيمة</numerusform>
            <numerusform>تلزم %s قيمة</numerusform>
            <numerusform>تلزم %s قيم</numerusform>
            <numerusform>تلزم %s قيمة</numerusform>
            <numerusform>تلزم %s قيمة</numerusform>
        </translation>
    </message>
    <message>
        <source>invited</source>
        <translation>مدعوّ</translation>
    </message>
    <message>
        <source>active</source>
        <translation>نشط</translation>
    </message>
    <message>
        <source>removed</source>
        <translation>مُزال</translation>
    </message>
    <message>
        <source>warning</source>
        <translation>تحذير</translation>
    </message>
    <message>
        <source>Recovered messages</source>
        <translation>رسائل مستعادة</translation>
    </message>
    <message>
        <source>Not taken by the team</source>
        <translation>لم يقبله الفريق</translation>
    </message>
    <message>
        <source>{title} (branch)</source>
        <translation>{title} (فرع)</translation>
    </message>
    <message>
        <source>Server at port {port}</source>
        <translation>خادم على المنفذ {port}</translation>
    </message>
    <message>
        <source>It answers</source>
        <translation>يستجيب</translation>
    </message>
    <message>
        <source>Lets ChatDesk search</source>
        <translation>يسمح لـ ChatDesk بالبحث</translation>
    </message>
    <message>
        <source>Finds pages</source>
        <translation>يعثر على صفحات</translation>
    </message>
    <message>
        <source>New</source>
        <comment>messages</comment>
        <translation>جديد</translation>
    </message>
    <message>
        <source>Works</source>
        <translation>يعمل</translation>
    </message>
    <message>
        <source>Does not work</source>
        <translation>لا يعمل</translation>
    </message>
    <message>
        <source>{who} offers no embeddings.</source>
        <translation>لا يقدّم {who} تضمينات (embeddings).</translation>
    </message>
    <message>
        <source>The counters of thread {thread} are wrong.</source>
        <translation>عدّادات المحادثة {thread} خاطئة.</translation>
    </message>
    <message>
        <source>The last shown message of thread {thread} is wrong.</source>
        <translation>آخر رسالة معروضة في المحادثة {thread} خاطئة.</translation>
    </message>
    <message>
        <source>The attached file {name} is missing.</source>
        <translation>الملف المرفق {name} مفقود.</translation>
    </message>
    <message>
        <source>The attached file {name} is not what was saved.</source>
        <translation>الملف المرفق {name} ليس ما حُفظ.</translation>
    </message>
    <message>
        <source>The attached file {name} is a link to another file.</source>
        <translation>الملف المرفق {name} وصلة إلى ملف آخر.</translation>
    </message>
    <message>
        <source>The attached file {name} cannot be read.</source>
        <translation>لا يمكن قراءة الملف المرفق {name}.</translation>
    </message>
    <message>
        <source>SQLite reports: {report}.</source>
        <translation>يُبلغ SQLite: {report}.</translation>
    </message>
    <message>
        <source>A row of {table} points to a missing row of {missing}.</source>
        <translation>صف من {table} يشير إلى صف مفقود من {missing}.</translation>
    </message>
    <message>
        <source>The text of message {message} is not what was saved.</source>
        <translation>نص الرسالة {message} ليس ما حُفظ.</translation>
    </message>
    <message>
        <source>This question is no longer waiting.</source>
        <translation>لم يعد هذا السؤال ينتظر.</translation>
    </message>
    <message>
        <source>It did not arrive completely.</source>
        <translation>لم يصل كاملًا.</translation>
    </message>
    <message>
        <source>This provider no longer exists.</source>
        <translation>لم يعد هذا المزوّد موجودًا.</translation>
    </message>
    <message>
        <source>This answer is no longer waiting.</source>
        <translation>لم تعد هذه الإجابة تنتظر.</translation>
    </message>
    <message>
        <source>This file contains more messages than can be read at once.</source>
        <translation>في هذا الملف رسائل أكثر مما تمكن قراءته دفعة واحدة.</translation>
    </message>
    <message>
        <source>ChatDesk keeps running in the tray. To end it, choose Quit there or in the menu.</source>
        <translation>يواصل ChatDesk العمل في علبة النظام. لإنهائه، اختر إنهاء هناك أو في القائمة.</translation>
    </message>
    <message>
        <source>unknown time</source>
        <translation>وقت غير معروف</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there.</source>
        <translation>لا يمكن استخدام الوكيل الذي يحدّده النظام: {proxy}. حدّد هناك وكيل HTTP.</translation>
    </message>
    <message>
        <source>The proxy wants a user name and a password: {proxy}. Nothing was sent.</source>
        <translation>يطلب الوكيل اسم مستخدم وكلمة مرور: {proxy}. لم يُرسل شيء.</translation>
    </message>
    <message>
        <source>Write them into its address, as in http://name:password@proxy:3128.</source>
        <translation>اكتبهما في عنوانه، مثل http://name:password@proxy:3128.</translation>
    </message>
    <message>
        <source>The proxy let nothing through ({answer}): {proxy}.</source>
        <translation>لم يسمح الوكيل بمرور شيء ({answer}): {proxy}.</translation>
    </message>
    <message>
        <source>Ask who runs it, or set the proxy of this provider in Settings, Providers.</source>
        <translation>اسأل من يديره، أو اضبط وكيل هذا المزوّد في الإعدادات، المزوّدون.</translation>
    </message>
    <message>
        <source>The proxy could not be reached: {proxy}. Nothing was sent.</source>
        <translation>تعذّر الوصول إلى الوكيل: {proxy}. لم يُرسل شيء.</translation>
    </message>
    <message>
        <source>Check the proxy, or set the proxy of this provider in Settings, Providers.</source>
        <translation>تحقق من الوكيل، أو اضبط وكيل هذا المزوّد في الإعدادات، المزوّدون.</translation>
    </message>
    <message>
        <source>Upgrading a copy of the database…</source>
        <translation>تُرقّى نسخة من قاعدة البيانات…</translation>
    </message>
    <message>
        <source>The row {row} of {table} has values that cannot be: {columns}.</source>
        <translation>في الصف {row} من {table} قيم غير ممكنة: {columns}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} values of {table} were replaced.</source>
        <comment>{count} value of {table} was replaced.</comment>
        <translation>
            <numerusform>لم تُستبدل قيم من {table} ({count}).</numerusform>
            <numerusform>استُبدلت قيمة واحدة من {table}.</numerusform>
            <numerusform>استُبدلت قيمتان من {table}.</numerusform>
            <numerusform>استُبدلت {count} قيم من {table}.</numerusform>
            <numerusform>استُبدلت {count} قيمة من {table}.</numerusform>
            <numerusform>استُبدلت {count} قيمة من {table}.</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is not a file.</source>
        <translation>{path} ليس ملفًا.</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}).</source>
        <translation>تتعذّر قراءة {path} ({reason}).</translation>
    </message>
    <message>
        <source>{path} is damaged.</source>
        <translation>{path} تالف.</translation>
    </message>
    <message>
        <source>own files</source>
        <translation>الملفات الخاصة</translation>
    </message>
    <message>
        <source>ChatDesk goes on without it.</source>
        <translation>يتابع ChatDesk من دونه.</translation>
    </message>
    <message>
        <source>Damaged files were kept in {directory} as {names}. Remove them when you no longer need them.</source>
        <translation>حُفظت الملفات التالفة في {directory} بأسماء {names}. أزلها عندما لا تعود تحتاج إليها.</translation>
    </message>
    <message>
        <source>file of {subject}</source>
        <translation>ملف ({subject})</translation>
    </message>
    <message>
        <source>Empty or damaged, so that they count as no backups: {names}.</source>
        <translation>فارغة أو تالفة، فلا تُعدّ نسخًا احتياطية: {names}.</translation>
    </message>
    <message>
        <source>Remove them from {directory}.</source>
        <translation>أزلها من {directory}.</translation>
    </message>
    <message>
        <source>backups</source>
        <translation>النسخ الاحتياطية</translation>
    </message>
    <message>
        <source>import</source>
        <translation>الاستيراد</translation>
    </message>
    <message>
        <source>choose the model</source>
        <translation>اختيار النموذج</translation>
    </message>
    <message>
        <source>attach a file</source>
        <translation>إرفاق ملف</translation>
    </message>
    <message>
        <source>These braces are not closed. Write }} after the name, or a backslash before mere braces.</source>
        <translation>هذه الأقواس غير مغلقة. اكتب }} بعد الاسم، أو شرطة مائلة عكسية قبل الأقواس المجرّدة.</translation>
    </message>
    <message>
        <source>A variable needs a name between its braces.</source>
        <translation>يحتاج المتغيّر إلى اسم بين قوسيه.</translation>
    </message>
    <message>
        <source>A name begins with a letter and has letters, digits, spaces, - and _ only. It is inserted as it is written.</source>
        <translation>يبدأ الاسم بحرف ولا يضم إلا حروفًا وأرقامًا ومسافات و- و_. ويُدرَج كما كُتب.</translation>
    </message>
    <message>
        <source>Line {line}, column {column}: {problem}</source>
        <translation>السطر {line}، العمود {column}: {problem}</translation>
    </message>
    <message>
        <source>{variable} has {count} characters; the first {kept} were inserted.</source>
        <translation>في {variable} عدد {count} من الأحرف؛ أُدرج أول {kept} منها.</translation>
    </message>
    <message>
        <source>The text was cut after {count} characters.</source>
        <translation>قُطع النص بعد {count} من الأحرف.</translation>
    </message>
    <message>
        <source>A name has at most {count} characters. It is inserted as it is written.</source>
        <translation>للاسم {count} من الأحرف على الأكثر. ويُدرَج كما كُتب.</translation>
    </message>
    <message>
        <source>{variable} means nothing in a system prompt.</source>
        <translation>لا معنى لـ {variable} في موجِّه النظام.</translation>
    </message>
    <message>
        <source>{variable} takes nothing after its name, so this is inserted as it is written.</source>
        <translation>لا يقبل {variable} شيئًا بعد اسمه، فيُدرَج كما كُتب.</translation>
    </message>
    <message>
        <source>This format is not known. Use parts as in {example}, or {variable} alone. It is inserted as it is written.</source>
        <translation>هذا التنسيق غير معروف. استخدم أجزاء كما في {example}، أو {variable} وحده. ويُدرَج كما كُتب.</translation>
    </message>
    <message>
        <source>{variable} is not known in a system prompt.</source>
        <translation>{variable} غير معروف في موجِّه النظام.</translation>
    </message>
    <message>
        <source>Write 1 to {count} choices, such as {example}.</source>
        <translation>اكتب من ١ إلى {count} من الخيارات، مثل {example}.</translation>
    </message>
    <message>
        <source>A template has at most {count} fields. This one stays as it is written.</source>
        <translation>للقالب {count} من الحقول على الأكثر. ويبقى هذا كما كُتب.</translation>
    </message>
    <message>
        <source>{variable} is asked for as a field.</source>
        <translation>يُطلَب {variable} كحقل.</translation>
    </message>
    <message>
        <source>Did you mean {variable}?</source>
        <translation>هل تقصد {variable}؟</translation>
    </message>
    <message>
        <source>Only {names} are known there; this is sent as it is written.</source>
        <translation>لا يُعرف هناك إلا {names}؛ ويُرسَل هذا كما كُتب.</translation>
    </message>
    <message>
        <source>The model gave an empty summary.</source>
        <translation>أعطى النموذج ملخّصًا فارغًا.</translation>
    </message>
    <message>
        <source>The model gave a summary that says nothing.</source>
        <translation>أعطى النموذج ملخّصًا لا يقول شيئًا.</translation>
    </message>
    <message>
        <source>The model refused to summarise.</source>
        <translation>رفض النموذج التلخيص.</translation>
    </message>
    <message>
        <source>The model gave a summary that is longer than the messages.</source>
        <translation>أعطى النموذج ملخّصًا أطول من الرسائل.</translation>
    </message>
    <message>
        <source>The model did not finish its summary.</source>
        <translation>لم يُنهِ النموذج ملخّصه.</translation>
    </message>
    <message>
        <source>This link cannot be opened: it names neither a thread nor an invitation.</source>
        <translation>تعذّر فتح هذا الرابط: فهو لا يشير إلى محادثة ولا إلى دعوة.</translation>
    </message>
    <message>
        <source>Ask the person who gave it to you to copy it again.</source>
        <translation>اطلب ممّن أعطاك إياه أن ينسخه من جديد.</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>التفاصيل</translation>
    </message>
    <message>
        <source>{kilobytes} KB, damaged or too large</source>
        <translation>{kilobytes} ك.ب، تالف أو كبير جدًا</translation>
    </message>
    <message>
        <source>too large for a table</source>
        <translation>أكبر من أن يُعرض في جدول</translation>
    </message>
    <message>
        <source>Note</source>
        <comment>callout</comment>
        <translation>ملاحظة</translation>
    </message>
    <message>
        <source>Tip</source>
        <comment>callout</comment>
        <translation>نصيحة</translation>
    </message>
    <message>
        <source>Important</source>
        <comment>callout</comment>
        <translation>مهم</translation>
    </message>
    <message>
        <source>Warning</source>
        <comment>callout</comment>
        <translation>تحذير</translation>
    </message>
    <message>
        <source>Caution</source>
        <comment>callout</comment>
        <translation>تنبيه</translation>
    </message>
    <message>
        <source>This diagram could not be drawn</source>
        <translation>تعذّر رسم هذا المخطّط</translation>
    </message>
    <message>
        <source>Diagrams cannot be drawn on this computer</source>
        <translation>لا يمكن رسم المخطّطات على هذا الحاسوب</translation>
    </message>
    <message>
        <source>This picture could not be drawn</source>
        <translation>تعذّر رسم هذه الصورة</translation>
    </message>
    <message>
        <source>Erased project</source>
        <translation>مشروع ممحو</translation>
    </message>
    <message>
        <source>Shared project</source>
        <translation>مشروع مشترك</translation>
    </message>
    <message>
        <source>The team&apos;s database reports: {reason}</source>
        <translation>تفيد قاعدة بيانات الفريق: {reason}</translation>
    </message>
    <message>
        <source>This file of the project&apos;s folder cannot be used.</source>
        <translation>تعذّر استخدام هذا الملف من مجلّد المشروع.</translation>
    </message>
    <message>
        <source>This path is too long, or has characters that cannot be seen.</source>
        <translation>هذا المسار طويل جدًا، أو فيه أحرف غير مرئية.</translation>
    </message>
    <message>
        <source>Paths begin at the project&apos;s folder: “src/main.py”, for example.</source>
        <translation>تبدأ المسارات من مجلّد المشروع: مثل «src/main.py».</translation>
    </message>
    <message>
        <source>A path cannot lead out of the project&apos;s folder.</source>
        <translation>لا يمكن لمسار أن يخرج من مجلّد المشروع.</translation>
    </message>
    <message>
        <source>This path is too deep.</source>
        <translation>هذا المسار عميق جدًا.</translation>
    </message>
    <message>
        <source>“{name}” usually holds secrets, or is managed by a program, so no tool may use it.</source>
        <translation>يحوي «{name}» عادةً أسرارًا، أو يديره برنامج، فلا يجوز لأي أداة استخدامه.</translation>
    </message>
    <message>
        <source>The project&apos;s folder cannot be opened, or there is a link on the way to it.</source>
        <translation>تعذّر فتح مجلّد المشروع، أو في الطريق إليه رابط.</translation>
    </message>
    <message>
        <source>Choose it again in the project&apos;s dialog.</source>
        <translation>اختره من جديد في مربّع حوار المشروع.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device. Links are not followed.</source>
        <translation>«{name}» ليس ملفًا بل مجلّد أو رابط أو جهاز. ولا تُتبَع الروابط.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device.</source>
        <translation>«{name}» ليس ملفًا بل مجلّد أو رابط أو جهاز.</translation>
    </message>
    <message>
        <source>“{name}” is no longer a file.</source>
        <translation>لم يعد «{name}» ملفًا.</translation>
    </message>
    <message>
        <source>“{name}” has a second name (a hard link), perhaps outside of the project&apos;s folder.</source>
        <translation>للملف «{name}» اسم ثانٍ (رابط ثابت)، ربما خارج مجلّد المشروع.</translation>
    </message>
    <message>
        <source>Copy it if tools are to use it.</source>
        <translation>انسخه إن كان على الأدوات أن تستخدمه.</translation>
    </message>
    <message>
        <source>“{name}” is too large; the limit is {most}.</source>
        <translation>«{name}» كبير جدًا؛ الحدّ هو {most}.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder, or there is a link on the way. Links are not followed.</source>
        <translation>«{name}» ليس مجلّدًا، أو في الطريق رابط. ولا تُتبَع الروابط.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a link. Links are not followed.</source>
        <translation>«{name}» ليس ملفًا بل رابط. ولا تُتبَع الروابط.</translation>
    </message>
    <message>
        <source>There is no folder “{name}” in the project&apos;s folder.</source>
        <translation>لا مجلّد «{name}» في مجلّد المشروع.</translation>
    </message>
    <message>
        <source>There is no file “{name}” in the project&apos;s folder.</source>
        <translation>لا ملف «{name}» في مجلّد المشروع.</translation>
    </message>
    <message>
        <source>You may not read “{name}”.</source>
        <translation>لا يجوز لك قراءة «{name}».</translation>
    </message>
    <message>
        <source>“{name}” cannot be opened: {reason}.</source>
        <translation>تعذّر فتح «{name}»: {reason}.</translation>
    </message>
    <message>
        <source>The file was changed after the change was proposed.</source>
        <translation>تغيّر الملف بعد اقتراح التغيير.</translation>
    </message>
    <message>
        <source>Ask the model to read the file again and to propose the change again.</source>
        <translation>اطلب من النموذج أن يقرأ الملف من جديد ويقترح التغيير مرة أخرى.</translation>
    </message>
    <message>
        <source>The file was removed after the change was proposed.</source>
        <translation>أُزيل الملف بعد اقتراح التغيير.</translation>
    </message>
    <message>
        <source>There is already a file with that name.</source>
        <translation>يوجد بالفعل ملف بهذا الاسم.</translation>
    </message>
    <message>
        <source>The file belongs to another user of this computer.</source>
        <translation>الملف لمستخدم آخر لهذا الحاسوب.</translation>
    </message>
    <message>
        <source>The file is write-protected.</source>
        <translation>الملف محمي من الكتابة.</translation>
    </message>
    <message>
        <source>Remove the protection, then try again.</source>
        <translation>أزل الحماية ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>The disk of “{name}” is full.</source>
        <translation>القرص الذي فيه «{name}» ممتلئ.</translation>
    </message>
    <message>
        <source>Free some space, then try again.</source>
        <translation>أخلِ بعض المساحة ثم أعد المحاولة.</translation>
    </message>
    <message>
        <source>You may not write to “{name}”.</source>
        <translation>لا يجوز لك الكتابة في «{name}».</translation>
    </message>
    <message>
        <source>“{name}” could not be written: {reason}.</source>
        <translation>تعذّرت كتابة «{name}»: {reason}.</translation>
    </message>
    <message>
        <source>It no longer knows the session.</source>
        <translation>لم يعد يعرف الجلسة.</translation>
    </message>
    <message>
        <source>something</source>
        <translation>شيء آخر</translation>
    </message>
    <message>
        <source>It answered with {kind}, not with a message of the protocol. Is its address right?</source>
        <translation>أجاب بـ {kind}، لا برسالة من البروتوكول. هل عنوانه صحيح؟</translation>
    </message>
    <message>
        <source>The connection ended before it answered.</source>
        <translation>انتهى الاتصال قبل أن يجيب.</translation>
    </message>
    <message>
        <source>It answered with status {status}.</source>
        <translation>أجاب بالحالة {status}.</translation>
    </message>
    <message>
        <source>ChatDesk does not speak the older transport with two addresses (SSE): is there one that ends with /mcp?</source>
        <translation>لا يدعم ChatDesk وسيلة النقل الأقدم ذات العنوانين (SSE): هل يوجد عنوان ينتهي بـ /mcp؟</translation>
    </message>
    <message>
        <source>It sent more than {most} values in one message.</source>
        <translation>أرسل أكثر من {most} من القيم في رسالة واحدة.</translation>
    </message>
    <message>
        <source>It is larger than {most}.</source>
        <translation>هو أكبر من {most}.</translation>
    </message>
    <message>
        <source>It is not valid base64.</source>
        <translation>ليس base64 صالحًا.</translation>
    </message>
    <message>
        <source>It sent too many requests, or used an id twice, before it read the answers.</source>
        <translation>أرسل طلبات كثيرة جدًا، أو استخدم معرّفًا مرتين، قبل أن يقرأ الإجابات.</translation>
    </message>
    <message>
        <source>It was stopped.</source>
        <translation>أُوقف.</translation>
    </message>
    <message>
        <source>It did not answer in time.</source>
        <translation>لم يُجب في الوقت المناسب.</translation>
    </message>
    <message>
        <source>Its answer could not be read ({kind}).</source>
        <translation>تعذّرت قراءة إجابته ({kind}).</translation>
    </message>
    <message>
        <source>It is not running.</source>
        <translation>إنه لا يعمل.</translation>
    </message>
    <message>
        <source>The sign-in was declined.</source>
        <translation>رُفض تسجيل الدخول.</translation>
    </message>
    <message>
        <source>It ended.</source>
        <translation>انتهى.</translation>
    </message>
    <message>
        <source>Its answer does not follow the protocol.</source>
        <translation>إجابته لا تتبع البروتوكول.</translation>
    </message>
    <message>
        <source>It did not answer in {seconds} s (Settings, Tools).</source>
        <translation>لم يُجب خلال {seconds} ث (الإعدادات، الأدوات).</translation>
    </message>
    <message>
        <source>The program {name} was not found.</source>
        <translation>لم يُعثر على البرنامج {name}.</translation>
    </message>
    <message>
        <source>The program {name} may not be run.</source>
        <translation>لا يجوز تشغيل البرنامج {name}.</translation>
    </message>
    <message>
        <source>It cannot be reached.</source>
        <translation>يتعذّر الوصول إليه.</translation>
    </message>
    <message>
        <source>It refused the connection: {reason}</source>
        <translation>رفض الاتصال: {reason}</translation>
    </message>
    <message>
        <source>The connection failed ({kind}).</source>
        <translation>فشل الاتصال ({kind}).</translation>
    </message>
    <message>
        <source>It asked to sign in again right after you had signed in.</source>
        <translation>طلب تسجيل الدخول مرة أخرى بعد أن سجّلته مباشرة.</translation>
    </message>
    <message>
        <source>It sends you to a page of another site than the one that would get your sign-in.</source>
        <translation>يرسلك إلى صفحة من موقع غير الذي سيتلقّى تسجيل دخولك.</translation>
    </message>
    <message>
        <source>It sends sign-ins over an address that others could read.</source>
        <translation>يرسل تسجيلات الدخول عبر عنوان يمكن لآخرين قراءته.</translation>
    </message>
    <message>
        <source>It sends sign-ins to an address on this computer or its network.</source>
        <translation>يرسل تسجيلات الدخول إلى عنوان على هذا الحاسوب أو في شبكته.</translation>
    </message>
    <message>
        <source>Nobody signed in in time.</source>
        <translation>لم يسجّل أحد الدخول في الوقت المناسب.</translation>
    </message>
    <message>
        <source>It does not let ChatDesk register. Enter the ID of a client that you registered there.</source>
        <translation>لا يسمح لـ ChatDesk بالتسجيل. أدخل معرّف عميل سجّلته هناك.</translation>
    </message>
    <message>
        <source>It did not accept the sign-in.</source>
        <translation>لم يقبل تسجيل الدخول.</translation>
    </message>
    <message>
        <source>The facts that it gives about signing in contradict each other.</source>
        <translation>بياناته عن تسجيل الدخول متناقضة.</translation>
    </message>
    <message>
        <source>The server where you sign in could not be reached, or sent too much.</source>
        <translation>تعذّر الوصول إلى الخادم الذي تسجّل الدخول فيه، أو أرسل أكثر مما ينبغي.</translation>
    </message>
    <message>
        <source>Signing in failed ({kind}).</source>
        <translation>فشل تسجيل الدخول ({kind}).</translation>
    </message>
    <message>
        <source>It ended with exit code {code}.</source>
        <translation>انتهى برمز الخروج {code}.</translation>
    </message>
    <message>
        <source>Its output is not valid UTF-8.</source>
        <translation>مخرجاته ليست UTF-8 صالحة.</translation>
    </message>
    <message>
        <source>It sent more than {most} in one message.</source>
        <translation>أرسل أكثر من {most} في رسالة واحدة.</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>تتعذّر كتابة {path}: {reason}.</translation>
    </message>
    <message>
        <source>There is nothing here.</source>
        <translation>لا شيء هنا.</translation>
    </message>
    <message>
        <source>This answer belongs to no sign-in that ChatDesk waits for.</source>
        <translation>هذه الإجابة لا تخص أي تسجيل دخول ينتظره ChatDesk.</translation>
    </message>
    <message>
        <source>The sign-in was declined. You can close this page.</source>
        <translation>رُفض تسجيل الدخول. يمكنك إغلاق هذه الصفحة.</translation>
    </message>
    <message>
        <source>ChatDesk has the answer. You can close this page.</source>
        <translation>تلقّى ChatDesk الإجابة. يمكنك إغلاق هذه الصفحة.</translation>
    </message>
    <message>
        <source>It is not JSON.</source>
        <translation>ليس JSON.</translation>
    </message>
    <message>
        <source>It is cut off.</source>
        <translation>هو مقطوع.</translation>
    </message>
    <message>
        <source>It is nested {count} levels deep.</source>
        <translation>هو متداخل حتى العمق {count}.</translation>
    </message>
    <message>
        <source>It is nested too deeply.</source>
        <translation>هو متداخل أعمق مما ينبغي.</translation>
    </message>
    <message>
        <source>The folder of the service {path} cannot be written to: {reason}.</source>
        <translation>تتعذّر الكتابة في مجلّد الخدمة {path}: {reason}.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another --data-dir.</source>
        <translation>تحقّق من مالكه وأذوناته، أو اختر --data-dir آخر.</translation>
    </message>
    <message>
        <source>The service cannot listen: {reason}.</source>
        <translation>لا تستطيع الخدمة الاستماع: {reason}.</translation>
    </message>
    <message>
        <source>Choose another port in the settings, or 0 for any that is free.</source>
        <translation>اختر منفذًا آخر في الإعدادات، أو 0 لأي منفذ حر.</translation>
    </message>
    <message>
        <source>The address of the service cannot be written: {reason}.</source>
        <translation>تتعذّر كتابة عنوان الخدمة: {reason}.</translation>
    </message>
    <message>
        <source>The settings name another address for the service, but no token may be used there.</source>
        <translation>تحدّد الإعدادات عنوانًا آخر للخدمة، لكن لا رمز وصول يجوز استخدامه هناك.</translation>
    </message>
    <message>
        <source>The service was not started.</source>
        <translation>لم تُشغَّل الخدمة.</translation>
    </message>
    <message>
        <source>Make one with &apos;chatdesk tokens new NAME --scope remote&apos;, or leave the address empty.</source>
        <translation>أنشئ واحدًا بالأمر &apos;chatdesk tokens new NAME --scope remote&apos;، أو اترك العنوان فارغًا.</translation>
    </message>
    <message>
        <source>The address of the service must be a name or number of this computer with a port.</source>
        <translation>يجب أن يكون عنوان الخدمة اسمًا أو رقمًا لهذا الحاسوب مع منفذ.</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443, the address at which others reach this computer.</source>
        <translation>مثل 192.168.1.5:8443، وهو العنوان الذي يصل به الآخرون إلى هذا الحاسوب.</translation>
    </message>
    <message>
        <source>Another address than this computer&apos;s own needs TLS.</source>
        <translation>أي عنوان غير عنوان هذا الحاسوب نفسه يحتاج إلى TLS.</translation>
    </message>
    <message>
        <source>Name the files of a certificate and its key in the settings, or leave the address empty.</source>
        <translation>حدّد في الإعدادات ملفي شهادة ومفتاحها، أو اترك العنوان فارغًا.</translation>
    </message>
    <message>
        <source>The certificate of the service cannot be used: {reason}.</source>
        <translation>تعذّر استخدام شهادة الخدمة: {reason}.</translation>
    </message>
    <message>
        <source>Both files must be in PEM format and belong together, and the key must have no passphrase.</source>
        <translation>يجب أن يكون الملفان بصيغة PEM ومتوافقين، وألا تكون للمفتاح عبارة مرور.</translation>
    </message>
    <message>
        <source>“{origin}” is not the origin of web pages.</source>
        <translation>«{origin}» ليس أصلًا لصفحات ويب.</translation>
    </message>
    <message>
        <source>An origin is a scheme, a name and a port if there is one: https://tool.example.</source>
        <translation>الأصل مخطّط واسم ومنفذ إن وُجد: https://tool.example.</translation>
    </message>
    <message>
        <source>Project folder</source>
        <translation>مجلّد المشروع</translation>
    </message>
    <message>
        <source>List a folder of the project</source>
        <translation>سرد مجلّد من المشروع</translation>
    </message>
    <message>
        <source>Find files of the project</source>
        <translation>البحث عن ملفات المشروع</translation>
    </message>
    <message>
        <source>Read a file of the project</source>
        <translation>قراءة ملف من المشروع</translation>
    </message>
    <message>
        <source>Propose a change to a file of the project</source>
        <translation>اقتراح تغيير في ملف من المشروع</translation>
    </message>
    <message>
        <source>A temporary chat keeps nothing, so no change is proposed in it.</source>
        <translation>الدردشة المؤقتة لا تحفظ شيئًا، فلا يُقترح فيها تغيير.</translation>
    </message>
    <message>
        <source>Files of a folder can be used on Linux and macOS only.</source>
        <translation>لا يمكن استخدام ملفات مجلّد إلا على Linux وmacOS.</translation>
    </message>
    <message>
        <source>Nothing was read.</source>
        <translation>لم يُقرأ شيء.</translation>
    </message>
    <message>
        <source>The project of this thread has no folder on this computer.</source>
        <translation>ليس لمشروع هذه المحادثة مجلّد على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>The web</source>
        <translation>الويب</translation>
    </message>
    <message>
        <source>Search the web</source>
        <translation>البحث في الويب</translation>
    </message>
    <message>
        <source>Read a web page</source>
        <translation>قراءة صفحة ويب</translation>
    </message>
    <message numerus="yes">
        <source>Questions in this thread go to {count} models.</source>
        <comment>Questions in this thread go to {count} model.</comment>
        <translation>
            <numerusform>لا تذهب أسئلة هذه المحادثة إلى أي نموذج.</numerusform>
            <numerusform>تذهب أسئلة هذه المحادثة إلى نموذج واحد.</numerusform>
            <numerusform>تذهب أسئلة هذه المحادثة إلى نموذجين.</numerusform>
            <numerusform>تذهب أسئلة هذه المحادثة إلى {count} نماذج.</numerusform>
            <numerusform>تذهب أسئلة هذه المحادثة إلى {count} نموذجًا.</numerusform>
            <numerusform>تذهب أسئلة هذه المحادثة إلى {count} نموذج.</numerusform>
        </translation>
    </message>
    <message>
        <source>It sent too many messages that nobody asked for, more than {count} in a second.</source>
        <translation>أرسل رسائل كثيرة جدًا لم يطلبها أحد، أكثر من {count} في الثانية.</translation>
    </message>
    <message>
        <source>It wrote too much that nobody asked for, more than {count} bytes in a second.</source>
        <translation>كتب أكثر مما ينبغي دون أن يطلبه أحد، أكثر من {count} بايت في الثانية.</translation>
    </message>
    <message>
        <source>The server has lost nothing.</source>
        <translation>لم يفقد الخادم شيئًا.</translation>
    </message>
    <message>
        <source>“{project}” goes on without them. Every computer fetches it again.</source>
        <translation>يستمر «{project}» من دونها. يجلبه كل حاسوب من جديد.</translation>
    </message>
    <message>
        <source>Every computer fetches the project again and sends what its person wrote and still has. What nobody sends stays only where it is now. If there is a backup of the server that has these changes, restore that instead.</source>
        <translation>يجلب كل حاسوب المشروع من جديد ويرسل ما كتبه صاحبه وما زال لديه. وما لا يرسله أحد يبقى حيث هو الآن فقط. إن وُجدت نسخة احتياطية للخادم فيها هذه التغييرات، فاستعِدها بدلًا من ذلك.</translation>
    </message>
    <message>
        <source>Whoever joins the project gets only what comes before the first of them.</source>
        <translation>من ينضم إلى المشروع يحصل فقط على ما يسبق أولها.</translation>
    </message>
    <message>
        <source>An owner of the project can let it go on without them.</source>
        <translation>يمكن لمالك المشروع متابعته من دونها.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made between {after} and {before}.</source>
        <comment>{count} change (number {first}), made between {after} and {before}.</comment>
        <translation>
            <numerusform>{count} تغيير (الأرقام {first} إلى {last})، بين {after} و{before}.</numerusform>
            <numerusform>تغيير واحد (الرقم {first})، بين {after} و{before}.</numerusform>
            <numerusform>تغييران (الرقمان {first} و{last})، بين {after} و{before}.</numerusform>
            <numerusform>{count} تغييرات (الأرقام {first} إلى {last})، بين {after} و{before}.</numerusform>
            <numerusform>{count} تغييرًا (الأرقام {first} إلى {last})، بين {after} و{before}.</numerusform>
            <numerusform>{count} تغيير (الأرقام {first} إلى {last})، بين {after} و{before}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made since {after}.</source>
        <comment>{count} change (number {first}), made since {after}.</comment>
        <translation>
            <numerusform>{count} تغيير (الأرقام {first} إلى {last})، منذ {after}.</numerusform>
            <numerusform>تغيير واحد (الرقم {first})، منذ {after}.</numerusform>
            <numerusform>تغييران (الرقمان {first} و{last})، منذ {after}.</numerusform>
            <numerusform>{count} تغييرات (الأرقام {first} إلى {last})، منذ {after}.</numerusform>
            <numerusform>{count} تغييرًا (الأرقام {first} إلى {last})، منذ {after}.</numerusform>
            <numerusform>{count} تغيير (الأرقام {first} إلى {last})، منذ {after}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), the first of the project.</source>
        <comment>{count} change (number {first}), the first of the project.</comment>
        <translation>
            <numerusform>{count} تغيير (الأرقام {first} إلى {last})، أول المشروع.</numerusform>
            <numerusform>تغيير واحد (الرقم {first})، أول المشروع.</numerusform>
            <numerusform>تغييران (الرقمان {first} و{last})، أول المشروع.</numerusform>
            <numerusform>{count} تغييرات (الأرقام {first} إلى {last})، أول المشروع.</numerusform>
            <numerusform>{count} تغييرًا (الأرقام {first} إلى {last})، أول المشروع.</numerusform>
            <numerusform>{count} تغيير (الأرقام {first} إلى {last})، أول المشروع.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: the server has lost {count} changes.</source>
        <comment>“{project}”: the server has lost {count} change.</comment>
        <translation>
            <numerusform>«{project}»: فقد الخادم {count} تغيير.</numerusform>
            <numerusform>«{project}»: فقد الخادم تغييرًا واحدًا.</numerusform>
            <numerusform>«{project}»: فقد الخادم تغييرين.</numerusform>
            <numerusform>«{project}»: فقد الخادم {count} تغييرات.</numerusform>
            <numerusform>«{project}»: فقد الخادم {count} تغييرًا.</numerusform>
            <numerusform>«{project}»: فقد الخادم {count} تغيير.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Let “{project}” go on without {count} changes?</source>
        <comment>Let “{project}” go on without {count} change?</comment>
        <translation>
            <numerusform>متابعة «{project}» من دون {count} تغيير؟</numerusform>
            <numerusform>متابعة «{project}» من دون تغيير واحد؟</numerusform>
            <numerusform>متابعة «{project}» من دون تغييرين؟</numerusform>
            <numerusform>متابعة «{project}» من دون {count} تغييرات؟</numerusform>
            <numerusform>متابعة «{project}» من دون {count} تغييرًا؟</numerusform>
            <numerusform>متابعة «{project}» من دون {count} تغيير؟</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: on {day}, {who} let it go on without {count} changes that the server had lost.</source>
        <comment>“{project}”: on {day}, {who} let it go on without {count} change that the server had lost.</comment>
        <translation>
            <numerusform>«{project}»: في {day} تابعه {who} من دون {count} تغيير كان الخادم قد فقدها.</numerusform>
            <numerusform>«{project}»: في {day} تابعه {who} من دون تغيير واحد كان الخادم قد فقده.</numerusform>
            <numerusform>«{project}»: في {day} تابعه {who} من دون تغييرين كان الخادم قد فقدهما.</numerusform>
            <numerusform>«{project}»: في {day} تابعه {who} من دون {count} تغييرات كان الخادم قد فقدها.</numerusform>
            <numerusform>«{project}»: في {day} تابعه {who} من دون {count} تغييرًا كان الخادم قد فقدها.</numerusform>
            <numerusform>«{project}»: في {day} تابعه {who} من دون {count} تغيير كان الخادم قد فقدها.</numerusform>
        </translation>
    </message>
    <message>
        <source>Search your earlier threads</source>
        <translation>البحث في محادثاتك السابقة</translation>
    </message>
    <message>
        <source>Read an earlier thread</source>
        <translation>قراءة محادثة سابقة</translation>
    </message>
    <message>
        <source>Read a file of an earlier thread</source>
        <translation>قراءة ملف من محادثة سابقة</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Enter opens one</source>
        <translation>النتائج في الأسفل: السهمان للاختيار، وEnter للفتح</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>جنبًا إلى جنب</translation>
    </message>
    <message>
        <source>Searched the web: {what}</source>
        <translation>بحث في الويب: {what}</translation>
    </message>
    <message>
        <source>Read {what}</source>
        <translation>قرأ {what}</translation>
    </message>
    <message>
        <source>Searched your threads: {what}</source>
        <translation>بحث في محادثاتك: {what}</translation>
    </message>
    <message>
        <source>Looked into the folder {what}</source>
        <translation>اطّلع على المجلّد {what}</translation>
    </message>
    <message>
        <source>Looked for files: {what}</source>
        <translation>بحث عن ملفات: {what}</translation>
    </message>
    <message>
        <source>Proposed a change to {what}</source>
        <translation>اقترح تغييرًا في {what}</translation>
    </message>
    <message>
        <source>Looked for a tool</source>
        <translation>بحث عن أداة</translation>
    </message>
    <message>
        <source>Asked {server}: {what}</source>
        <translation>سأل {server}: {what}</translation>
    </message>
    <message numerus="yes">
        <source>{count} steps</source>
        <comment>{count} step</comment>
        <translation>
            <numerusform>لا خطوات</numerusform>
            <numerusform>خطوة واحدة</numerusform>
            <numerusform>خطوتان</numerusform>
            <numerusform>{count} خطوات</numerusform>
            <numerusform>{count} خطوة</numerusform>
            <numerusform>{count} خطوة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} failed</source>
        <comment>{count} failed</comment>
        <translation>
            <numerusform>لم يفشل شيء</numerusform>
            <numerusform>فشلت واحدة</numerusform>
            <numerusform>فشلت اثنتان</numerusform>
            <numerusform>فشلت {count}</numerusform>
            <numerusform>فشلت {count}</numerusform>
            <numerusform>فشلت {count}</numerusform>
        </translation>
    </message>
    <message>
        <source>Check against the server again, and accept what is missing then. The log was closed up to there already, and no change was lost by that.</source>
        <translation>تحقّق مع الخادم مرة أخرى، واقبل ما ينقص حينها. أُغلق السجل حتى ذلك الموضع بالفعل، ولم يضع بذلك أي تغيير.</translation>
    </message>
    <message>
        <source>An answer in a shared project is still being written.</source>
        <translation>لا تزال إجابة في مشروع مشترك قيد الكتابة.</translation>
    </message>
    <message>
        <source>Wait until it ends, or stop it, then connect again.</source>
        <translation>انتظر حتى تنتهي أو أوقفها، ثم اتصل من جديد.</translation>
    </message>
    <message>
        <source>No program opened {address}.</source>
        <translation>لم يفتح أي برنامج {address}.</translation>
    </message>
    <message>
        <source>{name}, page {page} — {heading}</source>
        <translation>{name}، الصفحة {page} — {heading}</translation>
    </message>
    <message>
        <source>{name}, page {page}</source>
        <translation>{name}، الصفحة {page}</translation>
    </message>
    <message>
        <source>This looks like a secret.</source>
        <translation>هذا يبدو سرّيًا.</translation>
    </message>
    <message>
        <source>Say that it is to be read all the same, or choose another place.</source>
        <translation>حدّد أنه يُقرأ رغم ذلك، أو اختر مكانًا آخر.</translation>
    </message>
    <message>
        <source>There is no file {path}.</source>
        <translation>لا يوجد ملف {path}.</translation>
    </message>
    <message>
        <source>Choose a file that exists on this computer.</source>
        <translation>اختر ملفًا موجودًا على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>“{name}” looks like a secret.</source>
        <translation>«{name}» يبدو سرّيًا.</translation>
    </message>
    <message>
        <source>This file is not on this computer.</source>
        <translation>هذا الملف ليس على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>There is no folder or file {place}.</source>
        <translation>لا يوجد مجلّد أو ملف {place}.</translation>
    </message>
    <message>
        <source>Give the path of a folder or file, or an address that begins with https://.</source>
        <translation>أعطِ مسار مجلّد أو ملف، أو عنوانًا يبدأ بـ https://‎.</translation>
    </message>
    <message>
        <source>This folder or file cannot be read.</source>
        <translation>تتعذّر قراءة هذا المجلّد أو الملف.</translation>
    </message>
    <message>
        <source>What was read from it before is kept.</source>
        <translation>ما قُرئ منه من قبل محفوظ.</translation>
    </message>
    <message>
        <source>Make it available again, or remove it from the files of the project.</source>
        <translation>أتِحه من جديد، أو أزله من ملفات المشروع.</translation>
    </message>
    <message>
        <source>“{name}” is not a file.</source>
        <translation>«{name}» ليس ملفًا.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder.</source>
        <translation>«{name}» ليس مجلّدًا.</translation>
    </message>
    <message>
        <source>“{place}” cannot be read: {reason}.</source>
        <translation>تتعذّر قراءة «{place}»: {reason}.</translation>
    </message>
    <message>
        <source>This project does not exist.</source>
        <translation>هذا المشروع غير موجود.</translation>
    </message>
    <message>
        <source>“{place}” is among the files of this project already.</source>
        <translation>«{place}» ضمن ملفات هذا المشروع بالفعل.</translation>
    </message>
    <message>
        <source>This folder, file or page is not among the files of a project.</source>
        <translation>هذا المجلّد أو الملف أو الصفحة ليس ضمن ملفات أي مشروع.</translation>
    </message>
    <message>
        <source>Files of the project</source>
        <translation>ملفات المشروع</translation>
    </message>
    <message>
        <source>Search the files of the project</source>
        <translation>البحث في ملفات المشروع</translation>
    </message>
    <message>
        <source>Read on in a file of the project</source>
        <translation>متابعة القراءة في ملف من المشروع</translation>
    </message>
    <message>
        <source>Read this all the same?</source>
        <translation>هل تريد قراءة هذا رغم ذلك؟</translation>
    </message>
    <message>
        <source>{looks} What it says can go with questions to those who get the files of the project.</source>
        <translation>{looks} قد يُرسَل ما فيه مع الأسئلة إلى من يحصل على ملفات المشروع.</translation>
    </message>
    <message>
        <source>Read it</source>
        <translation>قراءة</translation>
    </message>
    <message>
        <source>Remove this from the files of the project?</source>
        <translation>هل تريد إزالة هذا من ملفات المشروع؟</translation>
    </message>
    <message>
        <source>ChatDesk forgets what it read from “{place}”. Nothing is deleted there.</source>
        <translation>ينسى ChatDesk ما قرأه من «{place}». ولا يُحذف شيء هناك.</translation>
    </message>
    <message>
        <source>The passage is not on this page: the file may have changed since it was read.</source>
        <translation>المقطع ليس في هذه الصفحة: ربما تغيّر الملف منذ قراءته.</translation>
    </message>
    <message>
        <source>This passage is no longer in the files of the project: the file changed, or was removed.</source>
        <translation>لم يعد هذا المقطع في ملفات المشروع: تغيّر الملف أو أُزيل.</translation>
    </message>
    <message>
        <source>The answer is unchanged.</source>
        <translation>لم تتغيّر الإجابة.</translation>
    </message>
    <message>
        <source>Ask again to search the files as they are now.</source>
        <translation>اسأل من جديد للبحث في الملفات كما هي الآن.</translation>
    </message>
    <message>
        <source>Open the file</source>
        <translation>فتح الملف</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>الصفحة السابقة</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>الصفحة التالية</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>تصغير</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>تكبير</translation>
    </message>
    <message>
        <source>Show the text of the page</source>
        <translation>عرض نص الصفحة</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>الصفحة</translation>
    </message>
    <message>
        <source>Show the page</source>
        <translation>عرض الصفحة</translation>
    </message>
    <message>
        <source>Page {page} of {total}</source>
        <translation>الصفحة {page} من {total}</translation>
    </message>
    <message>
        <source>Page {page}</source>
        <translation>الصفحة {page}</translation>
    </message>
    <message>
        <source>Memory is off.</source>
        <translation>الذاكرة معطّلة.</translation>
    </message>
    <message>
        <source>Memories are not sent to this provider: you did not allow it.</source>
        <translation>لا تُرسَل الذكريات إلى هذا المزوّد: لم تسمح بذلك.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project.</source>
        <translation>لا تُرسَل الذكريات في مشروع مشترك.</translation>
    </message>
    <message>
        <source>Memories are not sent in a temporary chat.</source>
        <translation>لا تُرسَل الذكريات في دردشة مؤقتة.</translation>
    </message>
    <message>
        <source>A memory needs a text.</source>
        <translation>تحتاج الذكرى إلى نص.</translation>
    </message>
    <message>
        <source>Write one sentence.</source>
        <translation>اكتب جملة واحدة.</translation>
    </message>
    <message>
        <source>The memory has {count} characters; the most is {most}.</source>
        <translation>في الذكرى {count} من الحروف؛ والحدّ {most}.</translation>
    </message>
    <message>
        <source>Shorten it to what matters.</source>
        <translation>اختصرها إلى ما يهم.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} hours left</source>
        <comment>about {count} hour left</comment>
        <translation>
            <numerusform>بقي أقل من ساعة</numerusform>
            <numerusform>بقي نحو ساعة</numerusform>
            <numerusform>بقي نحو ساعتين</numerusform>
            <numerusform>بقي نحو {count} ساعات</numerusform>
            <numerusform>بقي نحو {count} ساعة</numerusform>
            <numerusform>بقي نحو {count} ساعة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} minutes left</source>
        <comment>about {count} minute left</comment>
        <translation>
            <numerusform>بقي أقل من دقيقة</numerusform>
            <numerusform>بقي نحو دقيقة</numerusform>
            <numerusform>بقي نحو دقيقتين</numerusform>
            <numerusform>بقي نحو {count} دقائق</numerusform>
            <numerusform>بقي نحو {count} دقيقة</numerusform>
            <numerusform>بقي نحو {count} دقيقة</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} seconds left</source>
        <comment>about {count} second left</comment>
        <translation>
            <numerusform>بقي أقل من ثانية</numerusform>
            <numerusform>بقي نحو ثانية</numerusform>
            <numerusform>بقي نحو ثانيتين</numerusform>
            <numerusform>بقي نحو {count} ثوانٍ</numerusform>
            <numerusform>بقي نحو {count} ثانية</numerusform>
            <numerusform>بقي نحو {count} ثانية</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} look like secrets, not read</source>
        <comment>{count} looks like a secret, not read</comment>
        <translation>
            <numerusform>لا شيء يبدو سرّيًا</numerusform>
            <numerusform>واحد يبدو سرّيًا، لم يُقرأ</numerusform>
            <numerusform>اثنان يبدوان سرّيين، لم يُقرآ</numerusform>
            <numerusform>{count} تبدو سرّية، لم تُقرأ</numerusform>
            <numerusform>{count} تبدو سرّية، لم تُقرأ</numerusform>
            <numerusform>{count} تبدو سرّية، لم تُقرأ</numerusform>
        </translation>
    </message>
    <message>
        <source>not tried yet</source>
        <translation>لم يُجرَّب بعد</translation>
    </message>
    <message>
        <source>found at place {place}</source>
        <translation>عُثر عليه في المرتبة {place}</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>لم يُعثر عليه</translation>
    </message>
    <message>
        <source>at place {place}</source>
        <translation>في المرتبة {place}</translation>
    </message>
    <message>
        <source>{outcome} (before: {earlier})</source>
        <translation>{outcome} (من قبل: {earlier})</translation>
    </message>
    <message>
        <source>Another computer shares “{place}” with this project.</source>
        <translation>يشارك حاسوب آخر «{place}» مع هذا المشروع.</translation>
    </message>
    <message>
        <source>Pause it, and ask the person who shares it to end that.</source>
        <translation>أوقفه مؤقتًا، واطلب ممن يشاركه إنهاء ذلك.</translation>
    </message>
    <message>
        <source>Files are shared by the owners and admins of a shared project, from their own computers.</source>
        <translation>لا يشارك ملفات المشروع المشترك إلا مالكوه ومشرفوه، من حواسيبهم.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be drawn.</source>
        <translation>هو تالف ولا يمكن عرضه.</translation>
    </message>
    <message>
        <source>This page cannot be drawn.</source>
        <translation>لا يمكن عرض هذه الصفحة.</translation>
    </message>
    <message>
        <source>Read its text instead, or open the file in another program.</source>
        <translation>اقرأ نصها بدلًا من ذلك، أو افتح الملف في برنامج آخر.</translation>
    </message>
    <message>
        <source>Name the model for embeddings.</source>
        <translation>اذكر نموذج التضمينات.</translation>
    </message>
    <message>
        <source>The files of this project are never sent to this provider.</source>
        <translation>لا تُرسَل ملفات هذا المشروع إلى هذا المزوّد أبدًا.</translation>
    </message>
    <message>
        <source>Let it have them first, or choose another provider.</source>
        <translation>اسمح له بها أولًا، أو اختر مزوّدًا آخر.</translation>
    </message>
    <message>
        <source>“{model}” did not answer in time.</source>
        <translation>لم يُجب «{model}» في الوقت المناسب.</translation>
    </message>
    <message>
        <source>No provider can be asked here.</source>
        <translation>لا يمكن سؤال أي مزوّد هنا.</translation>
    </message>
    <message>
        <source>The vectors of “{model}” cannot be used.</source>
        <translation>لا يمكن استخدام متّجهات «{model}».</translation>
    </message>
    <message>
        <source>The vectors of “{model}” have {found} numbers now, and had {known}.</source>
        <translation>عدد الأرقام في متّجهات «{model}» الآن {found}، وكان {known}.</translation>
    </message>
    <message>
        <source>Memory is off, so nothing was remembered.</source>
        <translation>الذاكرة معطّلة، لذا لم يُحفظ شيء فيها.</translation>
    </message>
    <message>
        <source>Nothing was kept.</source>
        <translation>لم يُحفظ شيء.</translation>
    </message>
    <message>
        <source>Turn it on in Settings, Context, Memory.</source>
        <translation>فعّلها في الإعدادات، السياق، الذاكرة.</translation>
    </message>
    <message>
        <source>The memories are unchanged.</source>
        <translation>لم تتغيّر الذكريات.</translation>
    </message>
    <message>
        <source>Nothing in the files of the project fits this question.</source>
        <translation>لا شيء في ملفات المشروع يناسب هذا السؤال.</translation>
    </message>
    <message>
        <source>What was found in the files of the project did not fit into the request.</source>
        <translation>لم يتّسع الطلب لما عُثر عليه في ملفات المشروع.</translation>
    </message>
    <message>
        <source>The files of the project were not sent: this provider never gets them.</source>
        <translation>لم تُرسَل ملفات المشروع: هذا المزوّد لا يحصل عليها أبدًا.</translation>
    </message>
    <message>
        <source>Remember facts that you confirm</source>
        <translation>تذكُّر الحقائق التي تؤكّدها</translation>
    </message>
    <message>
        <source>Off: nothing is kept or sent. What is there stays until you delete it.</source>
        <translation>عند التعطيل لا يُحفظ شيء ولا يُرسَل. ويبقى الموجود إلى أن تحذفه.</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>الذاكرة</translation>
    </message>
    <message>
        <source>memories remember facts</source>
        <translation>ذاكرة ذكريات تذكر حقائق</translation>
    </message>
    <message>
        <source>Propose memories below an answer</source>
        <translation>اقتراح ذكريات تحت الإجابة</translation>
    </message>
    <message>
        <source>A sentence of yours that is about you. Nothing is kept unless you confirm it.</source>
        <translation>جملة كتبتها تخصّك. لا يُحفظ شيء ما لم تؤكّده.</translation>
    </message>
    <message>
        <source>Memories take at most</source>
        <translation>تشغل الذكريات على الأكثر</translation>
    </message>
    <message>
        <source>tokens of a request</source>
        <translation>من رموز الطلب</translation>
    </message>
    <message>
        <source>Providers that are sent memories</source>
        <translation>المزوّدون الذين تُرسَل إليهم الذكريات</translation>
    </message>
    <message>
        <source>A question and the file that should be found are both needed, in few words.</source>
        <translation>يلزم سؤال والملف الذي ينبغي العثور عليه معًا، بكلمات قليلة.</translation>
    </message>
    <message>
        <source>A project keeps at most {count} questions.</source>
        <translation>يحفظ المشروع {count} من الأسئلة على الأكثر.</translation>
    </message>
    <message>
        <source>Remove some first.</source>
        <translation>أزل بعضها أولًا.</translation>
    </message>
    <message>
        <source>Another memory says the same.</source>
        <translation>توجد ذكرى أخرى بالمعنى نفسه.</translation>
    </message>
    <message>
        <source>Delete one of the two.</source>
        <translation>احذف إحداهما.</translation>
    </message>
    <message>
        <source>ChatDesk keeps {most} memories at most.</source>
        <translation>يحفظ ChatDesk من الذكريات {most} على الأكثر.</translation>
    </message>
    <message>
        <source>Delete some that no longer matter.</source>
        <translation>احذف بعض ما لم يعد مهمًا.</translation>
    </message>
    <message>
        <source>This memory does not exist.</source>
        <translation>هذه الذكرى غير موجودة.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project, so none is kept for it alone.</source>
        <translation>لا تُرسَل الذكريات في مشروع مشترك، لذا لا تُحفظ له وحده.</translation>
    </message>
    <message>
        <source>Keep it everywhere.</source>
        <translation>احفظها لكل مكان.</translation>
    </message>
    <message>
        <source>My computers</source>
        <translation>حواسيبي</translation>
    </message>
    <message>
        <source>Me</source>
        <translation>أنا</translation>
    </message>
    <message>
        <source>The key of your computers cannot be found on this one.</source>
        <translation>يتعذّر العثور على مفتاح حواسيبك على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>افتح قفل حلقة المفاتيح، أو انضم من جديد بعبارة الاسترداد: &apos;chatdesk computers join&apos;.</translation>
    </message>
    <message>
        <source>This computer cannot keep the key of your computers.</source>
        <translation>لا يستطيع هذا الحاسوب حفظ مفتاح حواسيبك.</translation>
    </message>
    <message>
        <source>This folder is not empty.</source>
        <translation>هذا المجلّد ليس فارغًا.</translation>
    </message>
    <message>
        <source>Choose an empty folder, or a new one inside. If your other computer uses this one, join it with the phrase.</source>
        <translation>اختر مجلّدًا فارغًا، أو أنشئ مجلّدًا جديدًا داخله. وإن كان حاسوبك الآخر يستخدم هذا المجلّد، فانضم إليه بالعبارة.</translation>
    </message>
    <message>
        <source>No computer of yours has written into this folder, as far as it has arrived here.</source>
        <translation>لم يكتب أي من حواسيبك في هذا المجلّد، بحسب ما وصل منه إلى هنا.</translation>
    </message>
    <message>
        <source>Wait until the folder has been carried here, or look whether it is the right one.</source>
        <translation>انتظر حتى يُنقل المجلّد إلى هنا، أو تأكّد من أنه المجلّد الصحيح.</translation>
    </message>
    <message>
        <source>The recovery phrase is not the one of this folder.</source>
        <translation>عبارة الاسترداد ليست عبارة هذا المجلّد.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown when the first computer began with this folder, or when one was removed since.</source>
        <translation>استخدم العبارة التي ظهرت حين بدأ الحاسوب الأول بهذا المجلّد، أو حين أُزيل حاسوب بعد ذلك.</translation>
    </message>
    <message>
        <source>It is there.</source>
        <translation>هو موجود.</translation>
    </message>
    <message>
        <source>This is a file. Choose a folder.</source>
        <translation>هذا ملف. اختر مجلّدًا.</translation>
    </message>
    <message>
        <source>It is made when you go on.</source>
        <translation>يُنشأ عند المتابعة.</translation>
    </message>
    <message>
        <source>It is not there, nor is the folder around it. Connect the disk, or look again.</source>
        <translation>هو غير موجود، ولا المجلّد الذي يحويه. صِل القرص، أو انظر من جديد.</translation>
    </message>
    <message>
        <source>It cannot be written: {reason}.</source>
        <translation>تتعذّر الكتابة فيه: {reason}.</translation>
    </message>
    <message>
        <source>It can be written.</source>
        <translation>تمكن الكتابة فيه.</translation>
    </message>
    <message>
        <source>Contents</source>
        <translation>المحتويات</translation>
    </message>
    <message>
        <source>{problem}</source>
        <translation>{problem}</translation>
    </message>
    <message>
        <source>Another computer of yours uses it already. Cancel, and choose Join.</source>
        <translation>يستخدمه حاسوب آخر لك. ألغِ، واختر «انضمام».</translation>
    </message>
    <message>
        <source>It is a folder of ChatDesk.</source>
        <translation>هو مجلّد من ChatDesk.</translation>
    </message>
    <message>
        <source>The folder is empty.</source>
        <translation>المجلّد فارغ.</translation>
    </message>
    <message>
        <source>It has other files. Choose an empty folder, or a new one inside.</source>
        <translation>فيه ملفات أخرى. اختر مجلّدًا فارغًا، أو أنشئ مجلّدًا جديدًا داخله.</translation>
    </message>
    <message>
        <source>This computer has not joined any others.</source>
        <translation>لم ينضم هذا الحاسوب إلى حواسيب أخرى.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers start&apos; or &apos;join&apos; does that.</source>
        <translation>استخدم لذلك &apos;chatdesk computers start&apos; أو &apos;join&apos;.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos; lists them.</source>
        <translation>الأمر &apos;chatdesk computers status&apos; يسردها.</translation>
    </message>
    <message>
        <source>The exchange with your other computers is paused.</source>
        <translation>التبادل مع حواسيبك الأخرى متوقف مؤقتًا.</translation>
    </message>
    <message>
        <source>Nothing is read or written in the folder.</source>
        <translation>لا يُقرأ شيء من المجلّد ولا يُكتب فيه.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers resume&apos; goes on.</source>
        <translation>الأمر &apos;chatdesk computers resume&apos; يستأنفه.</translation>
    </message>
    <message>
        <source>Name it by its id: &apos;chatdesk computers status --json&apos; has them.</source>
        <translation>اذكره بمعرّفه: الأمر &apos;chatdesk computers status --json&apos; يعرض المعرّفات.</translation>
    </message>
    <message>
        <source>This computer has left the folder, and your chats are kept.</source>
        <translation>غادر هذا الحاسوب المجلّد، ودردشاتك محفوظة.</translation>
    </message>
    <message>
        <source>This profile has chats already.</source>
        <translation>في هذا الملف الشخصي دردشات من قبل.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers join&apos; merges them with those of the folder.</source>
        <translation>الأمر &apos;chatdesk computers join&apos; يدمجها مع دردشات المجلّد.</translation>
    </message>
    <message>
        <source>Several computers are called {name}.</source>
        <translation>توجد عدة حواسيب باسم {name}.</translation>
    </message>
    <message>
        <source>None of your computers is called {name}.</source>
        <translation>لا حاسوب لك باسم {name}.</translation>
    </message>
    <message>
        <source>This is the computer that you use.</source>
        <translation>هذا هو الحاسوب الذي تستخدمه.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers leave&apos; forgets the folder.</source>
        <translation>الأمر &apos;chatdesk computers leave&apos; ينسى المجلّد.</translation>
    </message>
    <message>
        <source>The copies that were kept for the folder cannot be removed: {reason}.</source>
        <translation>تتعذّر إزالة النسخ التي حُفظت للمجلّد: {reason}.</translation>
    </message>
    <message>
        <source>Remove {folder} by hand.</source>
        <translation>أزل {folder} يدويًا.</translation>
    </message>
    <message>
        <source>This computer has joined already.</source>
        <translation>سبق أن انضم هذا الحاسوب.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos;</source>
        <translation>&apos;chatdesk computers status&apos;</translation>
    </message>
    <message>
        <source>That is not a recovery phrase of ChatDesk.</source>
        <translation>هذه ليست عبارة استرداد من ChatDesk.</translation>
    </message>
    <message>
        <source>It has seven groups of four letters and digits. Compare each with what was shown at the start.</source>
        <translation>فيها سبع مجموعات، في كل منها أربعة من الحروف والأرقام. قارن كلًا منها بما ظهر في البداية.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be reached.</source>
        <translation>يتعذّر الوصول إلى مجلّد حواسيبك.</translation>
    </message>
    <message>
        <source>Connect the disk, or start the program that carries the folder. ChatDesk tries again by itself.</source>
        <translation>صِل القرص، أو شغّل البرنامج الذي ينقل المجلّد. يحاول ChatDesk من جديد تلقائيًا.</translation>
    </message>
    <message>
        <source>The folder of your computers belongs to another recovery phrase.</source>
        <translation>مجلّد حواسيبك تابع لعبارة استرداد أخرى.</translation>
    </message>
    <message>
        <source>Nothing was written there, and everything you wrote is kept on this computer.</source>
        <translation>لم يُكتب شيء هناك، وكل ما كتبته محفوظ على هذا الحاسوب.</translation>
    </message>
    <message>
        <source>Put the folder back, or forget it and join again. ChatDesk tries again by itself.</source>
        <translation>أعد المجلّد إلى مكانه، أو انسَه وانضم من جديد. يحاول ChatDesk من جديد تلقائيًا.</translation>
    </message>
    <message>
        <source>The disk with the folder of your computers is full.</source>
        <translation>القرص الذي فيه مجلّد حواسيبك ممتلئ.</translation>
    </message>
    <message>
        <source>Make room there. ChatDesk tries again by itself.</source>
        <translation>أفرغ مساحة هناك. يحاول ChatDesk من جديد تلقائيًا.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be used: {reason}.</source>
        <translation>لا يمكن استخدام مجلّد حواسيبك: {reason}.</translation>
    </message>
    <message>
        <source>{answer}: {question}</source>
        <translation>{answer}: {question}</translation>
    </message>
    <message>
        <source>not sent: no room</source>
        <translation>لم يُرسَل: لا مكان له</translation>
    </message>
    <message>
        <source>not sent: does not fit the question</source>
        <translation>لم يُرسَل: لا يناسب السؤال</translation>
    </message>
    <message>
        <source>not sent: left out</source>
        <translation>لم يُرسَل: مستبعَد</translation>
    </message>
    <message>
        <source>not sent: this provider never gets it</source>
        <translation>لم يُرسَل: هذا المزوّد لا يحصل عليه أبدًا</translation>
    </message>
    <message>
        <source>not sent: no longer in the files</source>
        <translation>لم يُرسَل: لم يعد في الملفات</translation>
    </message>
    <message>
        <source>From the files of the project</source>
        <translation>من ملفات المشروع</translation>
    </message>
    <message>
        <source>What was found in the files</source>
        <translation>ما عُثر عليه في الملفات</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>استبعاد</translation>
    </message>
    <message>
        <source>Show the passage</source>
        <translation>عرض المقطع</translation>
    </message>
    <message>
        <source>Use again</source>
        <translation>استخدام من جديد</translation>
    </message>
    <message>
        <source>place {rank}</source>
        <translation>المرتبة {rank}</translation>
    </message>
    <message>
        <source>named in the question</source>
        <translation>مذكور في السؤال</translation>
    </message>
    <message>
        <source>by words: {place}</source>
        <translation>بالكلمات: {place}</translation>
    </message>
    <message>
        <source>by meaning: {place}</source>
        <translation>بالمعنى: {place}</translation>
    </message>
    <message>
        <source>the whole file</source>
        <translation>الملف كله</translation>
    </message>
    <message>
        <source>Memories of this thread</source>
        <translation>ذكريات هذه المحادثة</translation>
    </message>
    <message>
        <source>{text}: {fate}, {tokens}</source>
        <translation>{text}: {fate}، {tokens}</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are sent</source>
        <comment>{count} memory is sent</comment>
        <translation>
            <numerusform>لا تُرسَل ذكريات</numerusform>
            <numerusform>تُرسَل ذكرى واحدة</numerusform>
            <numerusform>تُرسَل ذكريان</numerusform>
            <numerusform>تُرسَل {count} ذكريات</numerusform>
            <numerusform>تُرسَل {count} ذكرى</numerusform>
            <numerusform>تُرسَل {count} ذكرى</numerusform>
        </translation>
    </message>
    <message>
        <source>Send the files of the project to {provider}?</source>
        <translation>هل تريد إرسال ملفات المشروع إلى {provider}؟</translation>
    </message>
    <message>
        <source>Send and use</source>
        <translation>إرسال واستخدام</translation>
    </message>
    <message>
        <source>What is left out</source>
        <translation>ما يُستبعد</translation>
    </message>
    <message>
        <source>One rule a line, as in a .gitignore: “drafts/” leaves out a folder, “*.log” an ending, and “!keep.log” takes a file in again. What is left out is forgotten at once.</source>
        <translation>كما في ملف ‎.gitignore تُكتب قاعدة في كل سطر: القاعدة «drafts/‎» تستبعد مجلّدًا، والقاعدة «‎*.log» لاحقة، والقاعدة «‎!keep.log» تعيد ملفًا. ويُنسى المستبعَد فورًا.</translation>
    </message>
    <message>
        <source>Rules</source>
        <translation>القواعد</translation>
    </message>
    <message>
        <source>{title}, page {page} of {total}</source>
        <translation>{title}، الصفحة {page} من {total}</translation>
    </message>
    <message>
        <source>Who gets these files</source>
        <translation>من يحصل على هذه الملفات</translation>
    </message>
    <message>
        <source>Untick a provider, and nothing of the project&apos;s files is ever sent to it: no passage, no whole file, and nothing that tools read in them. Answers stay as they are.</source>
        <translation>ألغِ تحديد مزوّد فلا يُرسَل إليه أبدًا شيء من ملفات المشروع: لا مقطع، ولا ملف كامل، ولا ما تقرؤه الأدوات فيها. وتبقى الإجابات كما هي.</translation>
    </message>
    <message>
        <source>Files that look like secrets</source>
        <translation>الملفات التي تبدو سرّية</translation>
    </message>
    <message>
        <source>By their names, these usually hold passwords or keys. One that you tick is read, and what it says can go with questions to those who get the files, but never to a team.</source>
        <translation>تدل أسماؤها على أنها تضم عادة كلمات مرور أو مفاتيح. ما تحدّده منها يُقرأ، وقد يُرسَل ما فيه مع الأسئلة إلى من يحصل على الملفات، لكن لا يُرسَل أبدًا إلى فريق.</translation>
    </message>
    <message>
        <source>Kept questions</source>
        <translation>الأسئلة المحفوظة</translation>
    </message>
    <message>
        <source>Write questions with the file that each should find. Run them now, and again after something changed.</source>
        <translation>اكتب أسئلة مع الملف الذي ينبغي أن يجده كل منها. شغّلها الآن، ثم من جديد بعد أي تغيير.</translation>
    </message>
    <message>
        <source>The file to find</source>
        <translation>الملف المطلوب العثور عليه</translation>
    </message>
    <message>
        <source>Run all</source>
        <translation>تشغيل الكل</translation>
    </message>
    <message>
        <source>Add a memory</source>
        <translation>إضافة ذكرى</translation>
    </message>
    <message>
        <source>Edit the memory</source>
        <translation>تحرير الذكرى</translation>
    </message>
    <message>
        <source>One sentence</source>
        <translation>جملة واحدة</translation>
    </message>
    <message>
        <source>What to remember</source>
        <translation>ما يجب تذكُّره</translation>
    </message>
    <message>
        <source>Where it holds</source>
        <translation>أين تسري</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>في كل مكان</translation>
    </message>
    <message>
        <source>Erase it with its message</source>
        <translation>محوها مع رسالتها</translation>
    </message>
    <message>
        <source>Deleted: “{text}”</source>
        <translation>حُذفت: «{text}»</translation>
    </message>
    <message>
        <source>written by you</source>
        <translation>كتبتها أنت</translation>
    </message>
    <message>
        <source>selected in a message</source>
        <translation>حُدّدت في رسالة</translation>
    </message>
    <message>
        <source>proposed below an answer</source>
        <translation>اقتُرحت تحت إجابة</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>مستوردة</translation>
    </message>
    <message>
        <source>from another program</source>
        <translation>من برنامج آخر</translation>
    </message>
    <message>
        <source>A project without a name</source>
        <translation>مشروع بلا اسم</translation>
    </message>
    <message>
        <source>imported from {source}</source>
        <translation>مستوردة من {source}</translation>
    </message>
    <message>
        <source>its message is gone</source>
        <translation>لم تعد رسالتها موجودة</translation>
    </message>
    <message>
        <source>erased with its message</source>
        <translation>تُمحى مع رسالتها</translation>
    </message>
    <message>
        <source>not sent: what it belongs to is in the trash</source>
        <translation>لا تُرسَل: ما تنتمي إليه في سلة المهملات</translation>
    </message>
    <message>
        <source>not sent: the project is shared</source>
        <translation>لا تُرسَل: المشروع مشترك</translation>
    </message>
    <message>
        <source>Select the words to remember first.</source>
        <translation>حدّد أولًا الكلمات المطلوب تذكُّرها.</translation>
    </message>
    <message>
        <source>Nothing is remembered: memory is off, and an environment variable decides that.</source>
        <translation>لا يُحفظ شيء: الذاكرة معطّلة بمتغيّر بيئة.</translation>
    </message>
    <message>
        <source>Keep “{fact}” as a memory?</source>
        <translation>هل تريد حفظ «{fact}» كذكرى؟</translation>
    </message>
    <message>
        <source>Memory is off. Turn it on and keep “{fact}”?</source>
        <translation>الذاكرة معطّلة. هل تريد تفعيلها وحفظ «{fact}»؟</translation>
    </message>
    <message>
        <source>Turn on and keep</source>
        <translation>تفعيل وحفظ</translation>
    </message>
    <message>
        <source>Kept as a memory.</source>
        <translation>حُفظت كذكرى.</translation>
    </message>
    <message>
        <source>This is remembered already.</source>
        <translation>هذا محفوظ من قبل.</translation>
    </message>
    <message>
        <source>Remember the selection</source>
        <translation>تذكُّر النص المحدَّد</translation>
    </message>
    <message>
        <source>Memory is off, and an environment variable decides that. Nothing can be kept.</source>
        <translation>الذاكرة معطّلة بمتغيّر بيئة. لا يمكن حفظ شيء.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on.</source>
        <translation>الذاكرة معطّلة: لا يُحفظ شيء ولا يُرسَل إلى أن تفعّلها.</translation>
    </message>
    <message>
        <source>In this project</source>
        <translation>في هذا المشروع</translation>
    </message>
    <message>
        <source>Turn memory on and keep</source>
        <translation>تفعيل الذاكرة والحفظ</translation>
    </message>
    <message>
        <source>Memories in the export</source>
        <translation>الذكريات في الملف المصدَّر</translation>
    </message>
    <message>
        <source>Tick all</source>
        <translation>تحديد الكل</translation>
    </message>
    <message>
        <source>Remember the ticked ones</source>
        <translation>تذكُّر المحدَّدة</translation>
    </message>
    <message>
        <source>Tick those that ChatDesk shall remember. They are sent to the providers that you allow.</source>
        <translation>حدّد ما تريد أن يتذكّره ChatDesk. ويُرسَل إلى المزوّدين الذين تسمح لهم.</translation>
    </message>
    <message>
        <source>Memory is off, so none can be taken. If you turn it on in Settings, Context, Memory and import the file again, ChatDesk keeps those that you tick, and sends them to the providers that you allow.</source>
        <translation>الذاكرة معطّلة، لذا لا يمكن أخذ أي منها. إن فعّلتها في الإعدادات، السياق، الذاكرة واستوردت الملف من جديد، يحفظ ChatDesk ما تحدّده ويرسله إلى المزوّدين الذين تسمح لهم.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories in the export</source>
        <comment>{count} memory in the export</comment>
        <translation>
            <numerusform>لا ذكريات في الملف المصدَّر</numerusform>
            <numerusform>ذكرى واحدة في الملف المصدَّر</numerusform>
            <numerusform>ذكريان في الملف المصدَّر</numerusform>
            <numerusform>{count} ذكريات في الملف المصدَّر</numerusform>
            <numerusform>{count} ذكرى في الملف المصدَّر</numerusform>
            <numerusform>{count} ذكرى في الملف المصدَّر</numerusform>
        </translation>
    </message>
    <message>
        <source>{count}. {hint}</source>
        <translation>{count}. {hint}</translation>
    </message>
    <message>
        <source>No file or folder of the project has this name: {names}.</source>
        <translation>لا يوجد في المشروع ملف أو مجلّد بهذا الاسم: {names}.</translation>
    </message>
    <message>
        <source>Left out of the project&apos;s files: {names}.</source>
        <translation>مستبعَد من ملفات المشروع: {names}.</translation>
    </message>
    <message>
        <source>{provider} never gets files of this project: {names}.</source>
        <translation>لا يحصل {provider} على ملفات هذا المشروع أبدًا: {names}.</translation>
    </message>
    <message>
        <source>Not read yet: {names}.</source>
        <translation>لم يُقرأ بعد: {names}.</translation>
    </message>
    <message>
        <source>Cannot be read: {names}.</source>
        <translation>تتعذّر قراءته: {names}.</translation>
    </message>
    <message>
        <source>Looks like a secret, and is not read: {names}.</source>
        <translation>يبدو سرّيًا ولا يُقرأ: {names}.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, also what had not been sent.</source>
        <translation>كل ما كتبته هنا محفوظ على هذا الحاسوب، حتى ما لم يُرسَل.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase, or forget the folder.</source>
        <translation>انضم من جديد بعبارة الاسترداد الجديدة، أو انسَ المجلّد.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, and merged when you have joined again.</source>
        <translation>كل ما كتبته هنا محفوظ على هذا الحاسوب، ويُدمج بعد انضمامك من جديد.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase. If you did not remove any, begin with another folder.</source>
        <translation>انضم من جديد بعبارة الاسترداد الجديدة. وإن لم تُزل أي حاسوب، فابدأ بمجلّد آخر.</translation>
    </message>
    <message>
        <source>This recovery phrase was replaced when a computer was removed.</source>
        <translation>استُبدلت عبارة الاسترداد هذه حين أُزيل حاسوب.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown then.</source>
        <translation>استخدم العبارة التي ظهرت حينها.</translation>
    </message>
    <message>
        <source>This computer was removed on {computer}.</source>
        <translation>أُزيل هذا الحاسوب على {computer}.</translation>
    </message>
    <message>
        <source>{name} was removed on {computer}, so there is a new recovery phrase.</source>
        <translation>أُزيل {name} على {computer}، لذا توجد عبارة استرداد جديدة.</translation>
    </message>
</context>
</TS>
